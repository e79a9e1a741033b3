/* firmware.c: see firmware.h. */
#include "firmware.h"

#include "boot.h"

#define SYS_GET_CMDLINE 0x15u
#define SYS_EXIT_EXTENDED 0x20u
#define REASON_APPLICATION_EXIT 0x20026u

int64_t psci_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c) {
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;

    if (machine.psci == PSCI_BY_HVC)
        __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    else
        __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    return (int64_t)x0;
}

void semihosting_exit(int code) {
    const uint64_t block[2] = {REASON_APPLICATION_EXIT, (uint64_t)code};

    semihosting_call(SYS_EXIT_EXTENDED, block);
}

bool semihosting_command_line(char *text, size_t size) {
    uint64_t block[2] = {(uint64_t)text, size};

    text[0] = '\0';
    return semihosting_call(SYS_GET_CMDLINE, block) == 0;
}
