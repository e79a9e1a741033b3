/* chacha.c: the ChaCha block function. See chacha.h. */
#include "chacha.h"

#define DOUBLE_ROUNDS 4u

enum { CONSTANT = 0, KEY = 4, COUNTER = 12, STREAM = 14 }; /* rows of the state, in words */

static uint32_t rotate(uint32_t value, unsigned bits) {
    return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d) {
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

static void double_round(uint32_t *x) {
    for (unsigned i = 0; i < 4; i++) {
        quarter_round(x, i, 4 + i, 8 + i, 12 + i); /* columns */
    }
    for (unsigned i = 0; i < 4; i++) {
        quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4); /* diagonals */
    }
}

static void fill(struct chacha *chacha, const struct chacha_key *key) {
    static const uint32_t constant[] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t state[CHACHA_BLOCK_WORDS];
    __builtin_memcpy(state + CONSTANT, constant, sizeof constant);
    __builtin_memcpy(state + KEY, key->word, sizeof key->word);
    state[COUNTER] = (uint32_t)chacha->counter;
    state[COUNTER + 1] = (uint32_t)(chacha->counter >> 32);
    state[STREAM] = (uint32_t)chacha->stream;
    state[STREAM + 1] = (uint32_t)(chacha->stream >> 32);
    __builtin_memcpy(chacha->block, state, sizeof state);
    for (unsigned round = 0; round < DOUBLE_ROUNDS; round++) {
        double_round(chacha->block);
    }
    for (unsigned i = 0; i < CHACHA_BLOCK_WORDS; i++) {
        chacha->block[i] += state[i];
    }
    chacha->counter++;
    chacha->used = 0;
    chacha->epoch = key->epoch;
}

void chacha_key_set(struct chacha_key *key, const uint64_t entropy[CHACHA_KEY_WORDS / 2]) {
    for (unsigned i = 0; i < CHACHA_KEY_WORDS; i++) {
        key->word[i] = (uint32_t)(entropy[i / 2] >> i % 2 * 32);
    }
    key->epoch++;
}

void chacha_init(struct chacha *chacha, uint64_t stream) {
    *chacha = (struct chacha){.used = CHACHA_BLOCK_WORDS, .stream = stream};
}

uint32_t chacha_next(struct chacha *chacha, const struct chacha_key *key) {
    if (chacha->used == CHACHA_BLOCK_WORDS || chacha->epoch != key->epoch) {
        fill(chacha, key);
    }
    return chacha->block[chacha->used++];
}
