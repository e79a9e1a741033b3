/* asid.c: see asid.h. A bitmap; the search begins in the word where the last one ended.
 * Lock: asid_lock, innermost, with interrupts off. */
#include "asid.h"

#include "cpu.h"
#include "lock.h"

#define ASIDS_MAX 4096u /* processes at once */
#define WORD_BITS 64u

static struct ticket_lock asid_lock;
static uint64_t taken[ASIDS_MAX / WORD_BITS] = {1}; /* guarded by asid_lock, as is next_word */
static unsigned next_word;

unsigned asid_bits(void) {
    uint64_t features;

    __asm__("mrs %0, id_aa64mmfr0_el1" : "=r"(features));
    return (features >> 4 & 0xf) == 2 ? 16 : 8;
}

static unsigned word_count(void) {
    return asid_bits() == 16 ? ASIDS_MAX / WORD_BITS : (1u << 8) / WORD_BITS;
}

static uint16_t take_in(unsigned word) {
    unsigned bit = (unsigned)__builtin_ctzl(~taken[word]);

    taken[word] |= 1ul << bit;
    next_word = word;
    return (uint16_t)(word * WORD_BITS + bit);
}

uint16_t asid_take(void) {
    unsigned words = word_count();
    uint16_t asid = ASID_NONE;
    uintptr_t state = irq_save();

    ticket_lock_acquire(&asid_lock);
    for (unsigned i = 0; i < words && asid == ASID_NONE; i++)
        if (taken[(next_word + i) % words] != UINT64_MAX)
            asid = take_in((next_word + i) % words);
    ticket_lock_release(&asid_lock);
    irq_restore(state);
    return asid;
}

void asid_give(uint16_t asid) {
    uintptr_t state = irq_save();

    ticket_lock_acquire(&asid_lock);
    taken[asid / WORD_BITS] &= ~(1ul << asid % WORD_BITS);
    ticket_lock_release(&asid_lock);
    irq_restore(state);
}
