/* asid.h: address space identifiers, and what this CPU's TLB remembers under one.
 *
 * A process has one thread, so its address space is in use on one CPU at a time, and only that
 * CPU's TLB needs to be right: whoever takes an address space up on another CPU, or under an
 * identifier that was somebody else's, first forgets that identifier there (space_enter()). So
 * nothing here is broadcast, and identifiers are reused at once. 0 is the kernel's, for "no
 * process".
 */
#ifndef ASID_H
#define ASID_H

#include <stdint.h>

#define ASID_NONE 0u

/* Bits of an identifier on this core: 8 or 16. */
unsigned asid_bits(void);

/* One that nobody has; ASID_NONE iff all are taken. Any context. */
uint16_t asid_take(void);
void asid_give(uint16_t asid);

/* Forget what this CPU knows of one page, or of all of the lower half, under that identifier.
 * Entries written before are seen from then on. */
static inline void asid_forget_page(uint16_t asid, uint64_t address) {
    uint64_t what = (uint64_t)asid << 48 | address >> 12;

    __asm__ volatile("dsb ishst\n\ttlbi vae1, %0\n\tdsb nsh\n\tisb" ::"r"(what) : "memory");
}

static inline void asid_forget(uint16_t asid) {
    uint64_t what = (uint64_t)asid << 48;

    __asm__ volatile("dsb ishst\n\ttlbi aside1, %0\n\tdsb nsh\n\tisb" ::"r"(what) : "memory");
}

#endif
