/* chacha.h: random numbers that nobody can predict who has seen some of them: ChaCha with eight
 * rounds (Bernstein 2008), run by a key out of the system's entropy.
 *
 * One key serves many streams, told apart by a number. A new key ends all streams of the old one:
 * what a stream still has in store of it is thrown away. Pure, no locks.
 */
#ifndef CORE_CHACHA_H
#define CORE_CHACHA_H

#include "base.h"

#define CHACHA_KEY_WORDS 8u
#define CHACHA_BLOCK_WORDS 16u

struct chacha_key {
    uint32_t word[CHACHA_KEY_WORDS];
    uint32_t epoch; /* counts the keys */
};

struct chacha {
    uint32_t block[CHACHA_BLOCK_WORDS]; /* in store, from `used` on */
    uint32_t used;
    uint32_t epoch;   /* of the key that the store is from */
    uint64_t stream;  /* constant: its number */
    uint64_t counter; /* blocks made */
};

/* A new key; `entropy` is four calls' worth of the port's. */
void chacha_key_set(struct chacha_key *key, const uint64_t entropy[CHACHA_KEY_WORDS / 2]);

void chacha_init(struct chacha *chacha, uint64_t stream);

/* 32 bits. Cost: a block of 16 such every 16 calls. */
uint32_t chacha_next(struct chacha *chacha, const struct chacha_key *key);

/* A number below `limit`, which is not 0. A bias of limit / 2^32 stays. */
static inline uint32_t chacha_below(struct chacha *chacha, const struct chacha_key *key,
                                    uint32_t limit) {
    return (uint32_t)((uint64_t)chacha_next(chacha, key) * limit >> 32);
}

#endif
