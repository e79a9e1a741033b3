/* block.h: what a trace file is made of: a head, then blocks, each compressed and checksummed by
 * itself (docs/trace-format.md). This file knows bytes, lengths and checksums, and nothing of what
 * they mean.
 */
#ifndef LAB_TRACE_BLOCK_H
#define LAB_TRACE_BLOCK_H

#include "trace/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_VERSION = 1 };

enum block_kind {
    BLOCK_INFO = 'I',
    BLOCK_SITES = 'S',
    BLOCK_EVENTS = 'E',
    BLOCK_END = 'Z',
};

enum {
    FILE_HEAD_BYTES = 16,
    BLOCK_HEAD_BYTES = 16,
    BLOCK_RAW_MAX = 4 << 20, /* of what is in a block: nobody needs more memory to read one */
};

/* ---- Writing --------------------------------------------------------------------------------- */

struct block_output {
    int fd;
    int error; /* errno of the first failure; nothing is written after it */
    void *compressor;
    uint8_t *stored;
    size_t stored_capacity;
};

void block_output_begin(struct block_output *output, int fd);
void block_output_end(struct block_output *output);

void block_write_file_head(struct block_output *output);

/* One block of what is in raw; at most BLOCK_RAW_MAX. */
void block_write(struct block_output *output, enum block_kind kind, const void *raw, size_t bytes);

/* Overwrite the first block of the file with one of the same kind and length, which must be
 * BLOCK_INFO: only those are always stored as they are. False iff the file does not let us. */
bool block_write_again(struct block_output *output, enum block_kind kind, const void *raw,
                       size_t bytes);

/* ---- Reading --------------------------------------------------------------------------------- */

struct block_input {
    int fd;
    uint64_t offset; /* of the next byte that has not been taken */
    void *decompressor;
    uint8_t *stored, *raw; /* of the block read last */
    size_t stored_capacity, raw_capacity;
    enum block_kind kind;
    size_t raw_bytes;
    uint64_t block_offset; /* where it begins */
};

void block_input_begin(struct block_input *input, int fd);
void block_input_end(struct block_input *input);

/* False iff the file does not begin as a trace of a version that is known: then *error says. */
bool block_read_file_head(struct block_input *input, struct trace_error *error);

/* The next block. False iff there is none, or it is damaged: then *error says. */
bool block_read(struct block_input *input, struct trace_error *error);

/* The raw bytes of an end block at the very end of a file that can be read anywhere. False iff
 * there is none. Does not move. */
bool block_peek_end(const struct block_input *input, uint64_t file_bytes, void *raw, size_t bytes);

/* Note what is wrong at an offset. Always false. */
bool trace_error_at(struct trace_error *error, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
