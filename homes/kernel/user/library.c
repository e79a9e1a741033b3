/* library.c: the small rest of user.h. */
#include "user.h"

void console_write(const char *text, size_t length); /* what lib/printf.c writes to */

void console_write(const char *text, size_t length) {
    (void)write_text(text, length);
}

_Noreturn void end(int code) {
    for (;;)
        system_call(SYSCALL_EXIT, (uint64_t)code, 0, 0);
}

void *map(size_t bytes) {
    int64_t address = system_call(SYSCALL_MMAP, 0, bytes, PROTECTION_WRITE);

    return address < 0 ? NULL : (void *)address;
}

size_t size_of_text(const char *text) {
    char *rest;
    size_t value = strtoul(text, &rest, 10);

    switch (*rest) {
    case 'K':
        return value << 10;
    case 'M':
        return value << 20;
    case 'G':
        return value << 30;
    case '\0':
        return value;
    default:
        return 0;
    }
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ul;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}
