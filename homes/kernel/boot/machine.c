/* machine.c: the command line, and the ways to end. */
#include "machine.h"

#include "boot.h"
#include "cpu.h"
#include "event.h"
#include "firmware.h"
#include "kernel.h"
#include "power.h"

#define VALUES_BYTES 512u

/* Values are cut out of the line and kept for ever; CPU 0 only. */
const char *machine_bootarg(const char *name) {
    static char values[VALUES_BYTES];
    static size_t used;
    size_t length;
    const char *value = command_line_find(machine.command_line, name, &length);
    char *copy = values + used;

    if (value == NULL)
        return NULL;
    for (size_t at = 0; at < used; at += strlen(values + at) + 1)
        if (strlen(values + at) == length && memcmp(values + at, value, length) == 0)
            return values + at;
    if (length >= VALUES_BYTES - used)
        panic("the values on the command line are too long");
    memcpy(copy, value, length);
    copy[length] = '\0';
    used += length + 1;
    return copy;
}

/* Asked in a panic, too: so nothing is copied here. */
static bool wants_semihosting(void) {
    static const char wanted[] = "semihosting";
    size_t length;
    const char *value = command_line_find(machine.command_line, "larder.exit", &length);

    return value != NULL && length == sizeof wanted - 1 && memcmp(value, wanted, length) == 0;
}

static _Noreturn void wait_for_end(void) {
    for (;;)
        interrupt_wait();
}

_Noreturn void machine_poweroff(void) {
    irq_save();
    cpu_stop_others();
    if (machine.psci != PSCI_NONE)
        psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
    else if (machine.power_address != 0)
        power_reset(true);
    wait_for_end();
}

_Noreturn void machine_reboot(void) {
    irq_save();
    cpu_stop_others();
    if (machine.psci != PSCI_NONE)
        psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
    else if (machine.power_address != 0)
        power_reset(false);
    wait_for_end();
}

_Noreturn void machine_exit(int code) {
    irq_save();
    cpu_stop_others();
    if (wants_semihosting())
        semihosting_exit(code);
    machine_poweroff();
}
