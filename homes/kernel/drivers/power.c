/* power.c: see power.h. */
#include "power.h"

#include "event.h"
#include "io.h"
#include "mmu.h"

#define POWER_BYTES 0x28u
#define PASSWORD 0x5a000000u
#define RESET_CONTROL 0x1c
#define RESET_FULL 0x20u
#define RESET_CONFIG_CLEAR 0xffffffcfu
#define RESET_STATUS 0x20
#define PARTITION_HALT 0x555u /* partition 63, spread over the even bits: "do not boot" */
#define WATCHDOG 0x24
#define WATCHDOG_TICKS 10u /* of 1/65536 s */

static uintptr_t registers;

void power_open(uint64_t address) {
    registers = (uintptr_t)mmu_map_device(address, POWER_BYTES);
}

_Noreturn void power_reset(bool halt) {
    uint32_t status = io_read(registers + RESET_STATUS) & ~PARTITION_HALT;
    uint32_t control = io_read(registers + RESET_CONTROL) & RESET_CONFIG_CLEAR;

    io_write(registers + RESET_STATUS, PASSWORD | status | (halt ? PARTITION_HALT : 0));
    io_write(registers + WATCHDOG, PASSWORD | WATCHDOG_TICKS);
    io_write(registers + RESET_CONTROL, PASSWORD | control | RESET_FULL);
    for (;;)
        interrupt_wait();
}
