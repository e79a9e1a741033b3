/* block.c: see block.h.
 *
 *   file head    89 'L' 'T' 'R' 0d 0a 1a 0a   version u16   zeros to 16 bytes
 *   block head   kind u8   codec u8   zero u16   stored u32   raw u32   crc u32
 *   block        head, then `stored` bytes
 *
 * The checksum is over the first 12 bytes of the head and what is stored: no length is believed
 * before the block as a whole has proved itself, except to find its end.
 */
#include "trace/block.h"

#include "trace/crc32.h"
#include "trace/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { CODEC_NONE = 0, CODEC_ZSTD = 1, CHECKED_HEAD_BYTES = 12, COMPRESSION_LEVEL = 1 };
enum { COMPRESSED_MIN = 64 }; /* shorter blocks are stored as they are; the end mark is one */

/* As PNG's: no text file begins like it, and a transfer as text destroys it. */
static const uint8_t magic[8] = {0x89, 'L', 'T', 'R', 0x0d, 0x0a, 0x1a, 0x0a};

static void put32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

bool trace_error_at(struct trace_error *error, uint64_t offset, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error->offset = offset;
    (void)vsnprintf(error->what, sizeof error->what, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Writing --------------------------------------------------------------------------------- */

void block_output_begin(struct block_output *output, int fd) {
    *output = (struct block_output){.fd = fd, .compressor = ZSTD_createCCtx()};
    output->stored_capacity = BLOCK_HEAD_BYTES + ZSTD_compressBound(BLOCK_RAW_MAX);
    output->stored = memory_resize(NULL, output->stored_capacity, 1);
    (void)ZSTD_CCtx_setParameter(output->compressor, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
}

void block_output_end(struct block_output *output) {
    (void)ZSTD_freeCCtx(output->compressor);
    free(output->stored);
}

static void write_all(struct block_output *output, const uint8_t *bytes, size_t count) {
    while (count > 0 && !output->error) {
        const ssize_t done = write(output->fd, bytes, count);
        if (done > 0) {
            bytes += done;
            count -= (size_t)done;
        } else if (done == 0 || errno != EINTR) {
            output->error = done == 0 ? ENOSPC : errno;
        }
    }
}

void block_write_file_head(struct block_output *output) {
    uint8_t head[FILE_HEAD_BYTES] = {[8] = TRACE_VERSION};
    memcpy(head, magic, sizeof magic);
    write_all(output, head, sizeof head);
}

/* The bytes behind the head; the codec in *codec. Stored as it is where that is not longer. */
static size_t compress(struct block_output *output, enum block_kind kind, const void *raw,
                       size_t bytes, uint8_t *codec) {
    uint8_t *to = output->stored + BLOCK_HEAD_BYTES;
    const size_t room = output->stored_capacity - BLOCK_HEAD_BYTES;
    const bool is_as_it_is = bytes < COMPRESSED_MIN || kind == BLOCK_INFO;
    const size_t stored =
        is_as_it_is ? bytes : ZSTD_compress2(output->compressor, to, room, raw, bytes);
    *codec = CODEC_ZSTD;
    if (!ZSTD_isError(stored) && stored < bytes)
        return stored;
    *codec = CODEC_NONE;
    memcpy(to, raw, bytes);
    return bytes;
}

/* A block in output->stored; its length. */
static size_t seal(struct block_output *output, enum block_kind kind, const void *raw,
                   size_t bytes) {
    uint8_t *head = output->stored;
    memset(head, 0, BLOCK_HEAD_BYTES);
    head[0] = (uint8_t)kind;
    const size_t stored = compress(output, kind, raw, bytes, &head[1]);
    put32(head + 4, (uint32_t)stored);
    put32(head + 8, (uint32_t)bytes);
    const uint32_t crc = crc32_of(0, head, CHECKED_HEAD_BYTES);
    put32(head + 12, crc32_of(crc, head + BLOCK_HEAD_BYTES, stored));
    return BLOCK_HEAD_BYTES + stored;
}

void block_write(struct block_output *output, enum block_kind kind, const void *raw, size_t bytes) {
    const size_t length = seal(output, kind, raw, bytes);
    write_all(output, output->stored, length);
}

bool block_write_again(struct block_output *output, enum block_kind kind, const void *raw,
                       size_t bytes) {
    const size_t length = seal(output, kind, raw, bytes);
    return !output->error &&
           pwrite(output->fd, output->stored, length, FILE_HEAD_BYTES) == (ssize_t)length;
}

/* ---- Reading --------------------------------------------------------------------------------- */

void block_input_begin(struct block_input *input, int fd) {
    *input = (struct block_input){.fd = fd, .decompressor = ZSTD_createDCtx()};
}

void block_input_end(struct block_input *input) {
    (void)ZSTD_freeDCtx(input->decompressor);
    free(input->stored);
    free(input->raw);
}

/* Bytes that were there: fewer than `count` only at the end of the file. */
static size_t read_all(struct block_input *input, void *bytes, size_t count) {
    size_t have = 0;
    while (have < count) {
        const ssize_t done = read(input->fd, (uint8_t *)bytes + have, count - have);
        if (done == 0 || (done < 0 && errno != EINTR))
            break;
        have += done > 0 ? (size_t)done : 0;
    }
    input->offset += have;
    return have;
}

bool block_read_file_head(struct block_input *input, struct trace_error *error) {
    static const uint8_t zeros[6];
    uint8_t head[FILE_HEAD_BYTES];
    const size_t have = read_all(input, head, sizeof head);
    if (have < sizeof magic || memcmp(head, magic, sizeof magic) != 0)
        return trace_error_at(error, 0, "not a trace of larder (larder import reads others)");
    if (have < sizeof head)
        return trace_error_at(error, have, "the file ends in its head");
    const unsigned version = head[8] | (unsigned)head[9] << 8;
    if (version != TRACE_VERSION)
        return trace_error_at(error, 8, "version %u of the format; this reader knows version %d",
                              version, TRACE_VERSION);
    if (memcmp(head + 10, zeros, sizeof zeros) != 0)
        return trace_error_at(error, 10, "the head of the file is damaged");
    return true;
}

/* Is a head possible? Lengths that are not must not be allocated. */
static const char *head_fault(const uint8_t head[BLOCK_HEAD_BYTES]) {
    const uint32_t stored = get32(head + 4), raw = get32(head + 8);
    if (head[2] != 0 || head[3] != 0 || head[1] > CODEC_ZSTD)
        return "the head of a block is damaged";
    if (raw > BLOCK_RAW_MAX || stored > ZSTD_COMPRESSBOUND(BLOCK_RAW_MAX))
        return "a block is longer than any can be";
    if (head[1] == CODEC_NONE && raw != stored)
        return "the lengths of a block contradict each other";
    return NULL;
}

/* What is stored into input->raw. */
static const char *unpack(struct block_input *input, uint8_t codec, size_t stored) {
    input->raw = memory_reserve(input->raw, &input->raw_capacity,
                                input->raw_bytes ? input->raw_bytes : 1, 1);
    if (codec == CODEC_NONE) {
        memcpy(input->raw, input->stored, stored);
        return NULL;
    }
    const size_t raw = ZSTD_decompressDCtx(input->decompressor, input->raw, input->raw_bytes,
                                           input->stored, stored);
    return ZSTD_isError(raw) || raw != input->raw_bytes ? "a block cannot be decompressed" : NULL;
}

bool block_read(struct block_input *input, struct trace_error *error) {
    uint8_t head[BLOCK_HEAD_BYTES];
    const uint64_t start = input->offset;
    const size_t have = read_all(input, head, sizeof head);
    if (have == 0)
        return trace_error_at(error, start,
                              "the file ends without an end mark: the recording was "
                              "cut off");
    if (have < sizeof head)
        return trace_error_at(error, start, "the file ends in the head of a block");
    const char *fault = head_fault(head);
    if (fault)
        return trace_error_at(error, start, "%s", fault);
    const size_t stored = get32(head + 4);
    input->stored = memory_reserve(input->stored, &input->stored_capacity, stored + 1, 1);
    if (read_all(input, input->stored, stored) < stored)
        return trace_error_at(error, start, "the file ends in a block");
    const uint32_t crc = crc32_of(0, head, CHECKED_HEAD_BYTES);
    if (crc32_of(crc, input->stored, stored) != get32(head + 12))
        return trace_error_at(error, start, "a block's checksum is wrong");
    input->kind = (enum block_kind)head[0];
    input->raw_bytes = get32(head + 8);
    input->block_offset = start;
    fault = unpack(input, head[1], stored);
    return !fault || trace_error_at(error, start, "%s", fault);
}

bool block_peek_end(const struct block_input *input, uint64_t file_bytes, void *raw, size_t bytes) {
    uint8_t block[BLOCK_HEAD_BYTES + 256];
    const size_t length = BLOCK_HEAD_BYTES + bytes;
    if (length > sizeof block || file_bytes < length ||
        pread(input->fd, block, length, (off_t)(file_bytes - length)) != (ssize_t)length)
        return false;
    const uint32_t crc = crc32_of(0, block, CHECKED_HEAD_BYTES);
    if (block[0] != BLOCK_END || block[1] != CODEC_NONE || get32(block + 4) != bytes ||
        get32(block + 12) != crc32_of(crc, block + BLOCK_HEAD_BYTES, bytes))
        return false;
    memcpy(raw, block + BLOCK_HEAD_BYTES, bytes);
    return true;
}
