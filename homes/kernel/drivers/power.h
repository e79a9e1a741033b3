/* power.h: the power management block of the Pis: a watchdog that resets, and a mark that tells the
 * firmware to stay off after the reset. */
#ifndef POWER_H
#define POWER_H

#include <stdbool.h>
#include <stdint.h>

/* `address` of the registers. */
void power_open(uint64_t address);

/* Reset at once; with `halt` the firmware does not start again. */
_Noreturn void power_reset(bool halt);

#endif
