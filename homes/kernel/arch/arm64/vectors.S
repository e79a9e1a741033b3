/* vectors.S: exceptions, and the way into a process and out of it.
 *
 * Programs run on SP_EL0, exceptions and interrupts on SP_EL1 (their own stack per CPU): a program
 * that overflows its stack is reported on a stack that still works. An exception inside a handler
 * comes in through the second quarter of the table; if the handler's stack is the problem, the
 * report moves to a small emergency stack in struct cpu.
 *
 * Interrupts stay masked in here; handlers do not nest.
 *
 * A process (EL0) comes in onto its own kernel stack: there it is a program like any other, which
 * may be interrupted and may wait. Its registers are the exception frame at the top of that stack,
 * where cpu.user_frame points while it runs. Before anything else the lower half of the address
 * space is taken away (TTBR0 names an empty table): no address of a process means anything in the
 * kernel, which is what PAN gives on cores that have it; Cortex-A53 and A72 do not.
 */
#include "layout.h"
#include "offsets.h"

/* Save everything but x0 and x1 in the frame at \base. Afterwards x0 is the frame. */
.macro save_rest interrupted_sp, base=sp
    stp x2, x3, [\base, #FRAME_X + 16]
    stp x4, x5, [\base, #FRAME_X + 32]
    stp x6, x7, [\base, #FRAME_X + 48]
    stp x8, x9, [\base, #FRAME_X + 64]
    stp x10, x11, [\base, #FRAME_X + 80]
    stp x12, x13, [\base, #FRAME_X + 96]
    stp x14, x15, [\base, #FRAME_X + 112]
    stp x16, x17, [\base, #FRAME_X + 128]
    stp x18, x19, [\base, #FRAME_X + 144]
    stp x20, x21, [\base, #FRAME_X + 160]
    stp x22, x23, [\base, #FRAME_X + 176]
    stp x24, x25, [\base, #FRAME_X + 192]
    stp x26, x27, [\base, #FRAME_X + 208]
    stp x28, x29, [\base, #FRAME_X + 224]
    mrs x2, elr_el1
    mrs x3, spsr_el1
    stp x30, \interrupted_sp, [\base, #FRAME_X + 240]
    stp x2, x3, [\base, #FRAME_ELR]
    mrs x3, esr_el1
    mrs x4, far_el1
    stp x3, x4, [\base, #FRAME_ESR]
    stp x29, x2, [\base, #FRAME_RECORD]
    add x29, \base, #FRAME_RECORD
    mov x0, \base
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

/* ---- Processes -------------------------------------------------------------------------------- */

/* x0 is the frame; the process's x0 and x1 lie on the stack for exceptions. */
.macro enter_from_user
    mrs x1, sp_el0
    save_rest x1, x0
    ldp x2, x3, [sp], #16
    stp x2, x3, [x0, #FRAME_X]
    stp xzr, xzr, [x0, #FRAME_RECORD]   /* a stack trace ends here */
    mrs x2, tpidr_el1
    ldr x3, [x2, #CPU_NO_USER_TABLE]
    ldr x4, [x2, #CPU_SLOT]
    msr ttbr0_el1, x3
    isb
    msr tpidrro_el0, x4
    msr sp_el0, x0
    msr spsel, #0
.endm

user_sync:
    enter_from_user
    bl process_exception
    b user_leave

user_irq:
    enter_from_user
    bl process_interrupt
    b user_leave

    .global process_entry           /* a new process: on its kernel stack, interrupts masked */
process_entry:
    mov x0, sp
    bl process_first
user_leave:                         /* sp is the frame */
    mov x0, sp
    msr spsel, #1
    ldp x2, x3, [x0, #FRAME_ELR]
    ldr x4, [x0, #FRAME_X + 248]
    msr elr_el1, x2
    msr spsr_el1, x3
    msr sp_el0, x4
    mrs x5, tpidr_el1
    ldr x6, [x5, #CPU_USER_TABLE]
    msr ttbr0_el1, x6
    msr tpidr_el0, xzr              /* vector_in_handler leaves a value of the kernel's there */
    msr tpidrro_el0, xzr            /* the kernel keeps its slot there */
    ldp x2, x3, [x0, #FRAME_X + 16]
    ldp x4, x5, [x0, #FRAME_X + 32]
    ldp x6, x7, [x0, #FRAME_X + 48]
    ldp x8, x9, [x0, #FRAME_X + 64]
    ldp x10, x11, [x0, #FRAME_X + 80]
    ldp x12, x13, [x0, #FRAME_X + 96]
    ldp x14, x15, [x0, #FRAME_X + 112]
    ldp x16, x17, [x0, #FRAME_X + 128]
    ldp x18, x19, [x0, #FRAME_X + 144]
    ldp x20, x21, [x0, #FRAME_X + 160]
    ldp x22, x23, [x0, #FRAME_X + 176]
    ldp x24, x25, [x0, #FRAME_X + 192]
    ldp x26, x27, [x0, #FRAME_X + 208]
    ldp x28, x29, [x0, #FRAME_X + 224]
    ldr x30, [x0, #FRAME_X + 240]
    ldp x0, x1, [x0, #FRAME_X]
    eret

    .global context_switch          /* see context.h */
context_switch:
    mov x9, sp
    stp x19, x20, [x0]
    stp x21, x22, [x0, #16]
    stp x23, x24, [x0, #32]
    stp x25, x26, [x0, #48]
    stp x27, x28, [x0, #64]
    stp x29, x30, [x0, #80]
    str x9, [x0, #96]
    ldp x19, x20, [x1]
    ldp x21, x22, [x1, #16]
    ldp x23, x24, [x1, #32]
    ldp x25, x26, [x1, #48]
    ldp x27, x28, [x1, #64]
    ldp x29, x30, [x1, #80]
    ldr x9, [x1, #96]
    mov sp, x9
    ret

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

/* In a handler: is there room on this stack? x0 rests in a register that no process may use. */
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

.macro vector_from_user target
    .balign 128
    stp x0, x1, [sp, #-16]!
    mrs x0, tpidr_el1
    ldr x0, [x0, #CPU_USER_FRAME]
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
    vector_from_user user_sync
    vector_from_user user_irq
    vector_unexpected 10
    vector_unexpected 11
    vector_unexpected 12            /* from EL0 with 32 bits, which we lack */
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
