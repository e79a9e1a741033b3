/* varint.h: whole numbers in as few bytes as they need: seven bits a byte, the low ones first, the
 * top bit set in all but the last (LEB128). Signed ones are folded first, small ones of either sign
 * to small numbers (zigzag).
 */
#ifndef LAB_TRACE_VARINT_H
#define LAB_TRACE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VARINT_BYTES_MAX = 10 };

static inline uint64_t zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t zagzig(uint64_t value) {
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Write at `at`, where there is room. What comes behind it. */
static inline uint8_t *varint_put(uint8_t *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

/* Bytes that have been read up to `at`. Once something was missing or no number, is_bad stays. */
struct varint_input {
    const uint8_t *at, *end;
    bool is_bad;
};

/* Zero iff there is no number of 64 bits here: then input->is_bad. */
static inline uint64_t varint_get(struct varint_input *input) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && input->at < input->end; shift += 7) {
        const uint8_t byte = *input->at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    input->is_bad = true;
    return 0;
}

/* The next `count` bytes. NULL iff there are fewer: then input->is_bad. */
static inline const uint8_t *varint_bytes(struct varint_input *input, uint64_t count) {
    const uint8_t *bytes = input->at;
    if (count > (uint64_t)(input->end - input->at)) {
        input->is_bad = true;
        return NULL;
    }
    input->at += count;
    return bytes;
}

#endif
