/* entry.S: from the firmware to C.
 *
 * The image may stand at any 4 KiB boundary and is entered with the MMU off, at EL1, EL2 or EL3,
 * by one CPU (Linux boot protocol) or by all at once (EL3: the Pi's kernel_old=1). The CPU with
 * affinity 0 goes on, the others park until smp.c names them. Everything here uses relative
 * addresses until mmu_enable jumps to the image's mapping.
 *
 * Registers kept through start-up: x20 device tree, x21 exception level at entry.
 */
#include "layout.h"
#include "offsets.h"
#include "registers.h"

.macro address register, symbol
    adrp \register, \symbol
    add \register, \register, :lo12:\symbol
.endm

/* ---- The head: the Linux image header, which firmware and QEMU read --------------------------- */
    .section .head, "ax"
    .global _start
_start:
    b boot_entry
    .long 0
    .quad 0x80000                   /* offset from the start of RAM */
    .quad image_bytes               /* with .bss */
    .quad 0xa                       /* little endian, 4 KiB pages, anywhere in memory */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

/* ---- Permanent: where CPUs wait that have not been asked for ---------------------------------- */
    .text
    .global park
park:                               /* x21 as above; MMU off */
    mrs x0, mpidr_el1
    mov x1, #MPIDR_AFFINITY & 0xffffff
    movk x1, #MPIDR_AFFINITY >> 32, lsl #32
    and x0, x0, x1
    address x2, park_release
1:  wfe
    ldr x1, [x2]
    cmp x0, x1
    b.ne 1b
    b secondary_dropped

    .global stack_switch            /* x0, x1 tops of the stacks for programs and exceptions */
stack_switch:
    mov sp, x0
    msr spsel, #1
    mov sp, x1
    msr spsel, #0
    mov x29, #0
    mov x30, #0
    br x2

    .data
    .balign 64
    .global park_release
park_release:
    .quad -1
    .balign 64

/* ---- The first CPU ---------------------------------------------------------------------------- */
    .section .init.text, "ax"
boot_entry:
    msr daifset, #15
    mov x20, x0
    bl drop_to_el1
    mrs x0, mpidr_el1
    tst x0, #0xffffff
    b.ne park

    address x0, bss_start           /* stale lines must not come back over what is written now */
    address x1, bss_end
    bl invalidate
    address x0, initdata_start
    address x1, init_end
    bl invalidate
    address x0, bss_start
    address x1, bss_end
1:  stp xzr, xzr, [x0], #16
    cmp x0, x1
    b.lo 1b

    address x0, boot_stack_top
    mov sp, x0
    address x0, boot_info
    address x1, _start
    str x1, [x0, #BOOT_IMAGE]
    str x20, [x0, #BOOT_DTB]
    str x21, [x0, #BOOT_LEVEL]
    bl early_map

    address x0, bss_start           /* and what is written now must be seen */
    address x1, bss_end
    bl invalidate
    address x0, initdata_start
    address x1, init_end
    bl invalidate
    address x2, boot_info
    ldr x0, [x2, #BOOT_IDMAP]
    ldr x1, [x2, #BOOT_TABLE]
    ldr x2, =boot_high
    b mmu_enable

invalidate:                         /* [x0, x1) of the data cache */
    mrs x2, ctr_el0
    ubfx x2, x2, #16, #4
    mov x3, #4
    lsl x2, x3, x2
    sub x3, x2, #1
    bic x0, x0, x3
1:  dc ivac, x0
    add x0, x0, x2
    cmp x0, x1
    b.lo 1b
    dsb sy
    ret

boot_high:
    ldr x0, =boot_exception_top
    mov sp, x0
    msr spsel, #0
    ldr x0, =boot_stack_top
    mov sp, x0
    mov x29, #0
    mov x30, #0
    b kernel_start

    .ltorg

/* ---- The others: spin tables and PSCI enter here, parked ones at secondary_dropped ------------- */
    .global secondary_entry
secondary_entry:
    msr daifset, #15
    bl drop_to_el1
secondary_dropped:
    mrs x0, mpidr_el1
    mov x1, #MPIDR_AFFINITY & 0xffffff
    movk x1, #MPIDR_AFFINITY >> 32, lsl #32
    and x0, x0, x1
    address x2, secondary
    ldr x1, [x2, #SECONDARY_MPIDR]
    cmp x0, x1
    b.ne park
    address x2, boot_info
    ldr x0, [x2, #BOOT_IDMAP]
    ldr x1, [x2, #BOOT_TABLE]
    ldr x2, =secondary_high
    b mmu_enable

secondary_high:
    ldr x2, =secondary
    ldr x0, [x2, #SECONDARY_EXCEPTION]
    mov sp, x0
    msr spsel, #0
    ldr x0, [x2, #SECONDARY_STACK]
    mov sp, x0
    ldr x0, [x2, #SECONDARY_CPU]
    mov x1, x21
    mov x29, #0
    mov x30, #0
    b secondary_start

    .ltorg

/* ---- Exception levels -------------------------------------------------------------------------
 * Returns at EL1, MMU off, with the level of entry in x21. Clobbers x0..x5. No stack. */
drop_to_el1:
    mrs x0, CurrentEL
    lsr x21, x0, #2
    cmp x21, #2
    b.hi at_el3
    b.eq at_el2
at_el1:
    mov x0, #SCTLR_OFF & 0xffff
    movk x0, #SCTLR_OFF >> 16, lsl #16
    msr sctlr_el1, x0
    mov x0, #CPACR_VALUE
    msr cpacr_el1, x0
    isb
    ret

at_el3:                             /* nobody was here before us: do the firmware stub's work */
    mov x0, #SCR_VALUE
    msr scr_el3, x0
    msr cptr_el3, xzr
    mrs x0, midr_el1
    ubfx x0, x0, #MIDR_PART_SHIFT, #MIDR_PART_BITS
    mrs x1, S3_1_c15_c2_1           /* CPUECTLR: this core takes part in coherency */
    orr x1, x1, #0x40
    msr S3_1_c15_c2_1, x1
    mov x4, #MIDR_CORTEX_A72
    cmp x0, x4
    b.ne el3_pi3

    mov x1, #0x22                   /* L2 cache latency for the Pi 4's clock */
    msr S3_1_c11_c0_2, x1
    ldr x2, =0xff800000             /* local timers: from the crystal, undivided */
    ldr x3, =54000000
    ldr x1, =0xff841000             /* GIC: all interrupts belong to the non-secure side, */
    ldr w0, [x1, #4]                /* if it makes the difference (QEMU's does not) */
    tbz w0, #10, el3_clock
    mov w0, #3
    str w0, [x1]
    mvn w0, wzr
    mov x5, #32
1:  sub x5, x5, #4
    add x4, x1, #0x80
    str w0, [x4, x5]
    cbnz x5, 1b
    ldr x1, =0xff842000
    mov w0, #0x1e7
    str w0, [x1]
    mov w0, #0xff
    str w0, [x1, #4]
    b el3_clock

el3_pi3:
    ldr x2, =0x40000000
    ldr x3, =19200000
el3_clock:
    str wzr, [x2]
    mov w0, #0x80000000
    str w0, [x2, #8]
    mrs x0, cntfrq_el0              /* emulators set it; after a hardware reset it is 0 */
    cbnz x0, 1f
    msr cntfrq_el0, x3
1:  adr x0, at_el2
    msr elr_el3, x0
    mov x0, #SPSR_EL2H
    msr spsr_el3, x0
    eret

at_el2:
    mov x0, #HCR_VALUE
    msr hcr_el2, x0
    mov x0, #CNTHCTL_VALUE          /* EL1 may use the counter and the timers */
    msr cnthctl_el2, x0
    msr cntvoff_el2, xzr
    mov x0, #CPTR_EL2_VALUE
    msr cptr_el2, x0
    msr hstr_el2, xzr
    msr vttbr_el2, xzr
    mrs x0, midr_el1
    msr vpidr_el2, x0
    mrs x0, mpidr_el1
    msr vmpidr_el2, x0
    mov x0, #SCTLR_OFF & 0xffff
    movk x0, #SCTLR_OFF >> 16, lsl #16
    msr sctlr_el1, x0
    adr x0, at_el1
    msr elr_el2, x0
    mov x0, #SPSR_EL1H
    msr spsr_el2, x0
    isb
    eret

    .ltorg

/* ---- The identity map: this page, and nothing else --------------------------------------------
 * x0 root of the lower half, x1 root of the upper half, x2 where to go on. */
    .section .idmap, "ax"
mmu_enable:
    ldr x3, =MAIR_VALUE
    msr mair_el1, x3
    ldr x3, =TCR_VALUE
    mrs x4, id_aa64mmfr0_el1
    and x4, x4, #0xf                /* physical address bits of this core, at most 48 */
    mov x5, #TCR_IPS_MAX
    cmp x4, x5
    csel x4, x4, x5, ls
    orr x3, x3, x4, lsl #TCR_IPS_SHIFT
    msr tcr_el1, x3
    msr ttbr0_el1, x0
    msr ttbr1_el1, x1
    dsb sy
    tlbi vmalle1
    ic iallu
    dsb sy
    isb
    ldr x3, =SCTLR_ON
    msr sctlr_el1, x3
    isb
    br x2
    .ltorg

/* ---- The first stacks: given away when the first CPU has real ones ----------------------------- */
    .section .initdata, "aw"
    .balign 4096
    .space 16384
boot_stack_top:
    .space 16384
boot_exception_top:
