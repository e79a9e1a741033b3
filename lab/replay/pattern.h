/* pattern.h: what the lab writes into blocks, so that two that overlap are found out.
 *
 * A byte follows from the block's id and its own offset, so the pattern survives a realloc. Every
 * byte below PATTERN_WHOLE_BYTES has it, beyond that the first PATTERN_PIECE_BYTES of each 4 KiB:
 * memory becomes resident as if the program had used it all. */
#ifndef LAB_REPLAY_PATTERN_H
#define LAB_REPLAY_PATTERN_H

#include <stdint.h>

#define PATTERN_WHOLE_BYTES ((uint64_t)1 << 20)
#define PATTERN_PIECE_BYTES ((uint64_t)64)
#define PATTERN_NONE UINT64_MAX

/* Write what [from, to) of a block has. */
void pattern_write(unsigned char *block, uint32_t id, uint64_t from, uint64_t to);

/* The offset of the first byte of [from, to) that is not as written; PATTERN_NONE: all are. */
uint64_t pattern_check(const unsigned char *block, uint32_t id, uint64_t from, uint64_t to);

#endif
