/* string.c: the part of <string.h> the kernel needs, and what libfdt calls. Compiled with
 * -fno-tree-loop-distribute-patterns, or memset would be compiled into a call of memset. */
#include "kernel.h"

#define ZERO_BLOCK_MIN 256u /* below this, plain stores are as fast */

static bool is_aligned(const void *a, const void *b) {
    return (((uintptr_t)a | (uintptr_t)b) & 7) == 0;
}

/* Bytes that `dc zva` zeroes at once. Normal memory only, which is all the kernel hands in. */
static size_t zero_block_bytes(void) {
    uint64_t id;

    __asm__("mrs %0, dczid_el0" : "=r"(id));
    return id & 0x10 ? 0 : (size_t)4 << (id & 0xf);
}

static unsigned char *zero_blocks(unsigned char *at, const unsigned char *end, size_t block) {
    while ((uintptr_t)at % block != 0)
        *at++ = 0;
    for (; (size_t)(end - at) >= block; at += block)
        __asm__ volatile("dc zva, %0" ::"r"(at) : "memory");
    return at;
}

void *memset(void *to, int byte, size_t count) {
    unsigned char *at = to;
    unsigned char *end = at + count;
    uint64_t word = (unsigned char)byte * 0x0101010101010101ul;
    size_t block = byte == 0 && count >= ZERO_BLOCK_MIN ? zero_block_bytes() : 0;

    if (block != 0 && block < count)
        at = zero_blocks(at, end, block);
    while (at < end && (uintptr_t)at % 8 != 0)
        *at++ = (unsigned char)byte;
    for (; end - at >= 8; at += 8)
        *(uint64_t *)at = word;
    while (at < end)
        *at++ = (unsigned char)byte;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    return memmove(to, from, count);
}

static void move_up(unsigned char *to, const unsigned char *from, size_t count) {
    if (is_aligned(to, from))
        for (; count >= 8; count -= 8, to += 8, from += 8)
            *(uint64_t *)to = *(const uint64_t *)from;
    while (count-- != 0)
        *to++ = *from++;
}

void *memmove(void *to, const void *from, size_t count) {
    unsigned char *target = to;
    const unsigned char *source = from;

    if ((uintptr_t)to - (uintptr_t)from >= count)
        move_up(target, source, count);
    else
        while (count-- != 0)
            target[count] = source[count];
    return to;
}

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *left = a;
    const unsigned char *right = b;

    for (size_t i = 0; i < count; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}

void *memchr(const void *text, int byte, size_t count) {
    const unsigned char *at = text;

    for (; count != 0; count--, at++)
        if (*at == (unsigned char)byte)
            return (void *)(uintptr_t)at;
    return NULL;
}

size_t strlen(const char *text) {
    const char *end = text;

    while (*end != '\0')
        end++;
    return (size_t)(end - text);
}

size_t strnlen(const char *text, size_t limit) {
    size_t length = 0;

    while (length < limit && text[length] != '\0')
        length++;
    return length;
}

int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t limit) {
    for (size_t i = 0; i < limit; i++)
        if (a[i] != b[i] || a[i] == '\0')
            return (unsigned char)a[i] - (unsigned char)b[i];
    return 0;
}

char *strchr(const char *text, int byte) {
    return memchr(text, byte, strlen(text) + 1);
}

char *strrchr(const char *text, int byte) {
    for (size_t i = strlen(text) + 1; i-- != 0;)
        if (text[i] == (char)byte)
            return (char *)(uintptr_t)(text + i);
    return NULL;
}

static int digit_of(char letter) {
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    letter = (char)(letter | 0x20);
    return letter >= 'a' && letter <= 'z' ? letter - 'a' + 10 : 36;
}

/* No sign, no white space before; ULONG_MAX if it is too large. */
unsigned long strtoul(const char *text, char **end, int base) {
    unsigned long value = 0;
    bool overflow = false;

    if ((base == 0 || base == 16) && text[0] == '0' && (text[1] | 0x20) == 'x') {
        text += 2;
        base = 16;
    }
    if (base == 0)
        base = 10;
    for (; digit_of(*text) < base; text++) {
        overflow |= __builtin_mul_overflow(value, (unsigned long)base, &value);
        overflow |= __builtin_add_overflow(value, (unsigned long)digit_of(*text), &value);
    }
    if (end != NULL)
        *end = (char *)(uintptr_t)text;
    return overflow ? ~0ul : value;
}
