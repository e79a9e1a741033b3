/* registers.h: values of system registers, for C and assembly. Names as in the Arm architecture
 * manual (DDI 0487). */
#ifndef REGISTERS_H
#define REGISTERS_H

#include "layout.h"

/* Memory types, by index: 0 normal write-back, 1 device nGnRE, 2 normal uncached. */
#define MAIR_VALUE ADDRESS(0x4404ff)

/* Both halves VA_BITS wide, 4 KiB granule, tables cached and inner shareable. IPS is read from the
 * core. EPD0 turns the lower half off. */
#define TCR_SIZE (64 - CONFIG_VA_BITS)
#define TCR_CACHED ADDRESS(0x3500)
#define TCR_GRANULE_1 (ADDRESS(2) << 30)
#define TCR_VALUE (TCR_GRANULE_1 | (TCR_CACHED << 16) | TCR_CACHED | (TCR_SIZE << 16) | TCR_SIZE)
#define TCR_EPD0 (ADDRESS(1) << 7)
#define TCR_SIZE_MASK ADDRESS(0x3f)
#define TCR_ASID_16 (ADDRESS(1) << 36)
#define TCR_IPS_SHIFT 32
#define TCR_IPS_MAX 5

/* MMU, caches, stack alignment checks at EL1 and EL0; and what is writable never executes (WXN). */
#define SCTLR_RES1 ADDRESS(0x30d00800)
#define SCTLR_OFF SCTLR_RES1
#define SCTLR_MMU ADDRESS(0x1)
#define SCTLR_DATA_CACHE ADDRESS(0x4)
#define SCTLR_STACK_CHECK ADDRESS(0x18)
#define SCTLR_INSTRUCTION_CACHE ADDRESS(0x1000)
#define SCTLR_WXN ADDRESS(0x80000)
#define SCTLR_ON                                                                                   \
    (SCTLR_RES1 | SCTLR_MMU | SCTLR_DATA_CACHE | SCTLR_STACK_CHECK | SCTLR_INSTRUCTION_CACHE |     \
     SCTLR_WXN)

/* Saved states to drop to: all interrupts masked, own stack pointer of the level. */
#define SPSR_EL2H ADDRESS(0x3c9)
#define SPSR_EL1H ADDRESS(0x3c5)

/* EL3: non-secure below, 64 bits, hvc allowed, smc not (nobody is there to answer). */
#define SCR_VALUE ADDRESS(0x5b1)

/* EL2: EL1 is 64 bits. */
#define HCR_VALUE (ADDRESS(1) << 31)
#define CPTR_EL2_VALUE ADDRESS(0x33ff)
#define CNTHCTL_VALUE ADDRESS(3)

/* Vector registers trap at EL0, where nobody would save them, but not at EL1: libfdt was compiled
 * to use them. */
#define CPACR_VALUE (ADDRESS(1) << 20)

/* EL0 may read the virtual counter. */
#define CNTKCTL_VALUE ADDRESS(2)

/* PAN is set whenever an exception comes in to EL1, on cores that have it. */
#define SCTLR_SPAN (ADDRESS(1) << 23)
#define MMFR1_PAN_SHIFT 20

/* Part numbers in MIDR_EL1. */
#define MIDR_PART_SHIFT 4
#define MIDR_PART_BITS 12
#define MIDR_CORTEX_A53 0xd03
#define MIDR_CORTEX_A72 0xd08

/* Affinity fields of MPIDR_EL1. */
#define MPIDR_AFFINITY ADDRESS(0xff00ffffff)

#endif
