/* firmware.h: calls to whoever sits above EL1, or outside the machine. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arm Power State Coordination Interface (DEN 0022): function numbers. */
#define PSCI_CPU_ON 0xc4000003ul
#define PSCI_SYSTEM_OFF 0x84000008ul
#define PSCI_SYSTEM_RESET 0x84000009ul
#define PSCI_SUCCESS 0

/* By hvc or smc, as machine.psci says. */
int64_t psci_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

/* Arm semihosting: a request to a debugger or emulator. -1 if nobody listens. In vectors.S. */
int64_t semihosting_call(uint64_t operation, const void *argument);

/* End the emulator with this code; returns iff nobody listens. */
void semihosting_exit(int code);

/* The command line given to the emulator; false iff nobody listens. Ends with a NUL. */
bool semihosting_command_line(char *text, size_t size);

#endif
