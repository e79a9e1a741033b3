/* base.h: the words of arithmetic that every row uses. Pure, no state.
 */
#ifndef CORE_BASE_H
#define CORE_BASE_H

#include "larder/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_SHIFT ((unsigned)LARDER_FRAME_SHIFT)
#define FRAME_BYTES ((size_t)1 << LARDER_FRAME_SHIFT)
#define WORD_BITS 64u

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((unsigned char *)(pointer)-offsetof(type, member)))

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define NOINLINE __attribute__((noinline, cold))

/* A function that reads, atomically but without a lock, what another CPU writes plainly: any recent
 * value will do, and the writer is a fast path. The thread sanitizer has no other way to know. */
#define READS_GLIMPSES __attribute__((noinline, no_sanitize("thread")))
#define GLIMPSE(pointer) __atomic_load_n(pointer, __ATOMIC_RELAXED)

/* The address of our caller's caller, for owner tracking; only valid in a public function. */
#define CALL_SITE() ((uintptr_t)__builtin_return_address(0))

static inline bool is_power_of_two(uint64_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

/* `align` is a power of two in all of these. */
static inline uint64_t align_down(uint64_t value, uint64_t align) {
    return value & ~(align - 1);
}

/* The caller knows that value + align does not wrap; checked_align_up otherwise. */
static inline uint64_t align_up(uint64_t value, uint64_t align) {
    return (value + align - 1) & ~(align - 1);
}

static inline bool is_aligned(uint64_t value, uint64_t align) {
    return (value & (align - 1)) == 0;
}

/* False, and *result untouched or wrapped, iff the exact result does not fit. */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *result) {
    return !__builtin_add_overflow(a, b, result);
}

static inline bool checked_mul_size(size_t a, size_t b, size_t *result) {
    return !__builtin_mul_overflow(a, b, result);
}

static inline bool checked_align_up(uint64_t value, uint64_t align, uint64_t *result) {
    if (!checked_add(value, align - 1, result)) {
        return false;
    }
    *result = align_down(*result, align);
    return true;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Bit searches; undefined for 0, as the builtins are. */
static inline unsigned lowest_bit(uint64_t value) {
    return (unsigned)__builtin_ctzll(value);
}

static inline unsigned highest_bit(uint64_t value) {
    return 63u - (unsigned)__builtin_clzll(value);
}

/* By hand: without vector registers the builtin is a call into the compiler's library. */
static inline unsigned count_bits(uint64_t value) {
    value -= value >> 1 & 0x5555555555555555u;
    value = (value & 0x3333333333333333u) + (value >> 2 & 0x3333333333333333u);
    value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)(value * 0x0101010101010101u >> 56);
}

/* The smallest order whose block holds `count` frames; count ≥ 1. */
static inline unsigned order_for(uint64_t count) {
    return count <= 1 ? 0 : highest_bit(count - 1) + 1;
}

static inline bool text_equal(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* `count` ones from bit `first` on; first + count ≤ 64, count ≥ 1. */
static inline uint64_t bit_run(unsigned first, unsigned count) {
    return (~UINT64_C(0) >> (WORD_BITS - count)) << first;
}

#endif
