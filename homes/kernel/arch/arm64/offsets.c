/* offsets.c: never linked. kernel.mk compiles it to assembly and turns the marked lines into
 * build/kernel/offsets.h, so assembly and C agree about every struct. */
#include "boot.h"
#include "cpu.h"
#include "exception.h"
#include "smp.h"

#include <stddef.h>

#define OFFSET(name, value) __asm__ volatile("\n->" #name " %0" ::"i"(value))

void offsets(void);
void offsets(void) {
    OFFSET(BOOT_IMAGE, offsetof(struct boot_info, image_address));
    OFFSET(BOOT_DTB, offsetof(struct boot_info, dtb_address));
    OFFSET(BOOT_LEVEL, offsetof(struct boot_info, entry_level));
    OFFSET(BOOT_TABLE, offsetof(struct boot_info, table_root));
    OFFSET(BOOT_IDMAP, offsetof(struct boot_info, idmap_root));
    OFFSET(CPU_EXCEPTION_LOW, offsetof(struct cpu, exception_low));
    OFFSET(CPU_EMERGENCY_TOP, offsetof(struct cpu, emergency) + sizeof cpus[0].emergency);
    OFFSET(CPU_USER_FRAME, offsetof(struct cpu, user_frame));
    OFFSET(CPU_USER_TABLE, offsetof(struct cpu, user_table));
    OFFSET(CPU_NO_USER_TABLE, offsetof(struct cpu, no_user_table));
    OFFSET(CPU_SLOT, offsetof(struct cpu, slot));
    OFFSET(FRAME_X, offsetof(struct exception_frame, x));
    OFFSET(FRAME_ELR, offsetof(struct exception_frame, elr));
    OFFSET(FRAME_ESR, offsetof(struct exception_frame, esr));
    OFFSET(FRAME_VECTOR, offsetof(struct exception_frame, vector));
    OFFSET(FRAME_RECORD, offsetof(struct exception_frame, record));
    OFFSET(FRAME_BYTES, sizeof(struct exception_frame));
    OFFSET(SECONDARY_MPIDR, offsetof(struct secondary, mpidr));
    OFFSET(SECONDARY_STACK, offsetof(struct secondary, stack_top));
    OFFSET(SECONDARY_EXCEPTION, offsetof(struct secondary, exception_top));
    OFFSET(SECONDARY_CPU, offsetof(struct secondary, cpu));
}
