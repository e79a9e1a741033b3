/* fuzz.h: what every fuzz target begins with: numbers out of the input, and a naive range table as
 * the reference, on which whatever came out is started and used up.
 *
 * A difference from the reference ends in sim_fail(), which aborts; the fuzzer keeps the input.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define FRAME ((uint64_t)LARDER_FRAME_BYTES)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- The input: zeros when it has ended ---------------------------------------------------------
 */

struct input {
    const uint8_t *at, *end;
};

static inline uint64_t input_bytes(struct input *input, unsigned count) {
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value = value << 8 | (input->at < input->end ? *input->at++ : 0u);
    }
    return value;
}

static inline bool input_is_empty(const struct input *input) {
    return input->at == input->end;
}

/* ---- The reference: every address has a kind
 * ------------------------------------------------------ */

#define NAIVE_MAX 1024u

/* part[i] reaches up to part[i + 1]; the first begins at 0, the last has no end. Kind 0: a hole. */
struct naive {
    struct {
        uint64_t first;
        unsigned kind;
    } part[NAIVE_MAX];
    unsigned count;
};

void naive_init(struct naive *naive);

/* What larder_ranges_add() and larder_ranges_take() must answer, and do. */
enum larder_status naive_add(struct naive *naive, uint64_t address, uint64_t size_bytes,
                             unsigned kind);
uint64_t naive_take(struct naive *naive, uint64_t size_bytes, uint64_t align_bytes, uint64_t limit,
                    unsigned kind);

unsigned naive_kind(const struct naive *naive, uint64_t address);
uint64_t naive_bytes(const struct naive *naive, unsigned kind);

/* First address beyond a part. */
uint64_t naive_end(const struct naive *naive, unsigned i);

/* The table says the same, entry by entry. */
void naive_compare(const struct naive *naive, const struct larder_ranges *table);

/* Start larder on it, look at every boundary, use up all memory if it is little, and stop. Nothing
 * is done where that would take too long. */
void naive_start(const struct naive *naive, uint64_t zone_limit);

#endif
