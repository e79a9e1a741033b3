/* vectors.S: exceptions.
 *
 * Programs run on SP_EL0, exceptions and interrupts on SP_EL1 (their own stack per CPU): a program
 * that overflows its stack is reported on a stack that still works. An exception inside a handler
 * comes in through the second quarter of the table; if the handler's stack is the problem, the
 * report moves to a small emergency stack in struct cpu.
 *
 * Interrupts stay masked in here; handlers do not nest.
 */
#include "layout.h"
#include "offsets.h"

/* Push everything. x0 is already saved. Afterwards x0 is the frame. */
.macro save_rest interrupted_sp
    stp x2, x3, [sp, #FRAME_X + 16]
    stp x4, x5, [sp, #FRAME_X + 32]
    stp x6, x7, [sp, #FRAME_X + 48]
    stp x8, x9, [sp, #FRAME_X + 64]
    stp x10, x11, [sp, #FRAME_X + 80]
    stp x12, x13, [sp, #FRAME_X + 96]
    stp x14, x15, [sp, #FRAME_X + 112]
    stp x16, x17, [sp, #FRAME_X + 128]
    stp x18, x19, [sp, #FRAME_X + 144]
    stp x20, x21, [sp, #FRAME_X + 160]
    stp x22, x23, [sp, #FRAME_X + 176]
    stp x24, x25, [sp, #FRAME_X + 192]
    stp x26, x27, [sp, #FRAME_X + 208]
    stp x28, x29, [sp, #FRAME_X + 224]
    mrs x2, elr_el1
    mrs x3, spsr_el1
    stp x30, \interrupted_sp, [sp, #FRAME_X + 240]
    stp x2, x3, [sp, #FRAME_ELR]
    mrs x3, esr_el1
    mrs x4, far_el1
    stp x3, x4, [sp, #FRAME_ESR]
    stp x29, x2, [sp, #FRAME_RECORD]
    add x29, sp, #FRAME_RECORD
    mov x0, sp
.endm

restore:
    ldp x2, x3, [sp, #FRAME_ELR]
    msr elr_el1, x2
    msr spsr_el1, x3
    ldp x2, x3, [sp, #FRAME_X + 16]
    ldp x4, x5, [sp, #FRAME_X + 32]
    ldp x6, x7, [sp, #FRAME_X + 48]
    ldp x8, x9, [sp, #FRAME_X + 64]
    ldp x10, x11, [sp, #FRAME_X + 80]
    ldp x12, x13, [sp, #FRAME_X + 96]
    ldp x14, x15, [sp, #FRAME_X + 112]
    ldp x16, x17, [sp, #FRAME_X + 128]
    ldp x18, x19, [sp, #FRAME_X + 144]
    ldp x20, x21, [sp, #FRAME_X + 160]
    ldp x22, x23, [sp, #FRAME_X + 176]
    ldp x24, x25, [sp, #FRAME_X + 192]
    ldp x26, x27, [sp, #FRAME_X + 208]
    ldp x28, x29, [sp, #FRAME_X + 224]
    ldr x30, [sp, #FRAME_X + 240]
    ldp x0, x1, [sp, #FRAME_X]
    add sp, sp, #FRAME_BYTES
    eret

program_sync:
    mrs x1, sp_el0
    save_rest x1
    bl exception_sync
    b restore

program_irq:
    mrs x1, sp_el0
    save_rest x1
    bl irq_dispatch
    b restore

handler_sync:
    add x1, sp, #FRAME_BYTES
    save_rest x1
    bl exception_sync
    b restore

unexpected:                         /* x0: number of the vector */
    str x0, [sp, #FRAME_VECTOR]
    mrs x1, sp_el0
    save_rest x1
    bl exception_unexpected
    b restore

.macro vector target
    .balign 128
    sub sp, sp, #FRAME_BYTES
    stp x0, x1, [sp, #FRAME_X]
    b \target
.endm

/* In a handler: is there room on this stack? x0 and x1 rest in registers of EL0, which we lack. */
.macro vector_in_handler target
    .balign 128
    msr tpidr_el0, x0
    mrs x0, tpidr_el1
    ldr x0, [x0, #CPU_EXCEPTION_LOW]
    sub x0, sp, x0
    sub x0, x0, #4 * FRAME_BYTES    /* below the stack it wraps and is large */
    cmp x0, #STACK_BYTES
    mrs x0, tpidr_el1
    add x0, x0, #CPU_EMERGENCY_TOP
    b.ls 1f
    mov sp, x0
1:  mrs x0, tpidr_el0
    sub sp, sp, #FRAME_BYTES
    stp x0, x1, [sp, #FRAME_X]
    b \target
.endm

.macro vector_unexpected number
    .balign 128
    sub sp, sp, #FRAME_BYTES
    stp x0, x1, [sp, #FRAME_X]
    mov x0, #\number
    b unexpected
.endm

    .text
    .balign 2048
    .global vectors
vectors:
    vector program_sync             /* on the program stack */
    vector program_irq
    vector_unexpected 2
    vector_unexpected 3
    vector_in_handler handler_sync  /* in a handler */
    vector_unexpected 5
    vector_unexpected 6
    vector_unexpected 7
    vector_unexpected 8             /* from EL0, which we lack */
    vector_unexpected 9
    vector_unexpected 10
    vector_unexpected 11
    vector_unexpected 12
    vector_unexpected 13
    vector_unexpected 14
    vector_unexpected 15

/* ---- Accesses that may fault: see struct exception_fixup --------------------------------------- */
.macro may_fault resume
    .pushsection .exception_fixups, "a"
    .quad 9f, \resume
    .popsection
9:
.endm

    .global fault_probe_read
fault_probe_read:
    may_fault probe_faulted
    ldrb w1, [x0]
    mov w0, #1
    ret

    .global io_probe                /* the same for a register of a device: a word */
io_probe:
    may_fault probe_faulted
    ldr w1, [x0]
    mov w0, #1
    ret

    .global fault_probe_write
fault_probe_write:
    may_fault probe_faulted
    ldrb w1, [x0]
    may_fault probe_faulted
    strb w1, [x0]
    mov w0, #1
    ret

probe_faulted:
    mov w0, #0
    ret

    .global fault_probe_execute
fault_probe_execute:
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    blr x0
    may_fault probe_execute_faulted /* the return address while the instruction at x0 runs */
    mov w0, #1
    ldp x29, x30, [sp], #16
    ret
probe_execute_faulted:
    mov w0, #0
    ldp x29, x30, [sp], #16
    ret

    .global semihosting_call        /* w0 operation, x1 argument; -1 if nobody listens */
semihosting_call:
    may_fault semihosting_absent
    hlt #0xf000
    ret
semihosting_absent:
    mov x0, #-1
    ret
