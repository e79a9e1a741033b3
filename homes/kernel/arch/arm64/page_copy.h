/* page_copy.h: copy whole pages, a cache line at a time. */
#ifndef PAGE_COPY_H
#define PAGE_COPY_H

#include <stdint.h>

#define PAGE_COPY_LINE 64u

/* Both are aligned to a line, `bytes` is a multiple of it and not 0. */
static inline void page_copy(void *to, const void *from, uint64_t bytes) {
    const unsigned char *end = (const unsigned char *)from + bytes;

    __asm__ volatile("1:\n\t"
                     "ldp x9, x10, [%1]\n\t"
                     "ldp x11, x12, [%1, #16]\n\t"
                     "ldp x13, x14, [%1, #32]\n\t"
                     "ldp x15, x16, [%1, #48]\n\t"
                     "stp x9, x10, [%0]\n\t"
                     "stp x11, x12, [%0, #16]\n\t"
                     "stp x13, x14, [%0, #32]\n\t"
                     "stp x15, x16, [%0, #48]\n\t"
                     "add %0, %0, #64\n\t"
                     "add %1, %1, #64\n\t"
                     "cmp %1, %2\n\t"
                     "b.lo 1b"
                     : "+r"(to), "+r"(from)
                     : "r"(end)
                     : "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "cc", "memory");
}

#endif
