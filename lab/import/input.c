/* input.c: see input.h. Packed bytes come into one buffer, unpacked ones into another; what is
 * taken is a window of the latter. */
#include "import/input.h"

#include "trace/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PACKED_BYTES = 128 << 10, ROOM_BYTES = INPUT_LINE_MAX + PACKED_BYTES };

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct input {
    int fd;
    enum packing packing;
    const char *fault;
    bool is_at_end;     /* nothing more will come into the window */
    bool is_between;    /* no compressed stream is begun: the file may end here */
    bool is_file_ended; /* no more packed bytes */
    uint8_t *packed;
    size_t packed_at, packed_end;
    char *room; /* the window is [at, end) of it */
    size_t at, end;
    uint64_t line_number, taken, packed_taken, packed_bytes;
    z_stream gzip;
    ZSTD_DStream *zstd;
};

/* ---- Packed bytes ---------------------------------------------------------------------------- */

/* Make sure that there are some, unless the file has ended. */
static void read_packed(struct input *input) {
    while (input->packed_at == input->packed_end && !input->is_file_ended) {
        const ssize_t count = read(input->fd, input->packed, PACKED_BYTES);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            input->fault = strerror(errno);
        input->is_file_ended = count <= 0;
        input->packed_at = 0;
        input->packed_end = count > 0 ? (size_t)count : 0;
        input->packed_taken += input->packed_end;
    }
}

static size_t unpack_none(struct input *input, char *to, size_t room) {
    size_t count = input->packed_end - input->packed_at;
    count = count < room ? count : room;
    memcpy(to, input->packed + input->packed_at, count);
    input->packed_at += count;
    return count;
}

static size_t unpack_gzip(struct input *input, char *to, size_t room) {
    z_stream *stream = &input->gzip;
    stream->next_in = input->packed + input->packed_at;
    stream->avail_in = (uInt)(input->packed_end - input->packed_at);
    stream->next_out = (Bytef *)to;
    stream->avail_out = (uInt)room;
    const int status = inflate(stream, Z_NO_FLUSH);
    input->packed_at = input->packed_end - stream->avail_in;
    input->is_between = status == Z_STREAM_END;
    if (status == Z_STREAM_END)
        (void)inflateReset(stream);
    else if (status != Z_OK && status != Z_BUF_ERROR)
        input->fault = "the compressed file is damaged";
    return room - stream->avail_out;
}

static size_t unpack_zstd(struct input *input, char *to, size_t room) {
    ZSTD_inBuffer from = {input->packed, input->packed_end, input->packed_at};
    ZSTD_outBuffer out = {to, room, 0};
    const size_t status = ZSTD_decompressStream(input->zstd, &out, &from);
    input->packed_at = from.pos;
    input->is_between = status == 0;
    if (ZSTD_isError(status))
        input->fault = "the compressed file is damaged";
    return out.pos;
}

/* More bytes into the window. False iff there are none. */
static bool fill(struct input *input) {
    if (input->at > 0 && input->end == ROOM_BYTES) {
        memmove(input->room, input->room + input->at, input->end - input->at);
        input->end -= input->at;
        input->at = 0;
    }
    const size_t had = input->end;
    while (input->end == had && had < ROOM_BYTES && !input->is_at_end && !input->fault) {
        char *to = input->room + input->end;
        const size_t room = ROOM_BYTES - input->end;
        read_packed(input);
        const bool had_packed = input->packed_at < input->packed_end;
        if (had_packed || (input->packing != PACKING_NONE && !input->is_between))
            input->end += input->packing == PACKING_GZIP   ? unpack_gzip(input, to, room)
                          : input->packing == PACKING_ZSTD ? unpack_zstd(input, to, room)
                                                           : unpack_none(input, to, room);
        if (input->end == had && !had_packed)
            input->is_at_end = true;
    }
    if (input->is_at_end && input->packing != PACKING_NONE && !input->is_between && !input->fault)
        input->fault = "the compressed file is cut off";
    return input->end > had;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static void find_packing(struct input *input) {
    read_packed(input);
    const uint8_t *at = input->packed;
    const size_t count = input->packed_end;
    if (count >= 2 && at[0] == 0x1f && at[1] == 0x8b) {
        input->packing = PACKING_GZIP;
        (void)inflateInit2(&input->gzip, 15 + 16);
    } else if (count >= 4 && memcmp(at, "\x28\xb5\x2f\xfd", 4) == 0) {
        input->packing = PACKING_ZSTD;
        input->zstd = ZSTD_createDStream();
    }
}

struct input *input_open(const char *path) {
    struct stat status;
    const int fd =
        strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return NULL;
    struct input *input = memory_zeroed(1, sizeof *input);
    input->fd = fd;
    input->packed = memory_resize(NULL, PACKED_BYTES, 1);
    input->room = memory_resize(NULL, ROOM_BYTES, 1);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        input->packed_bytes = (uint64_t)status.st_size;
    find_packing(input);
    input->is_between = true;
    return input;
}

void input_close(struct input *input) {
    if (!input)
        return;
    if (input->packing == PACKING_GZIP)
        (void)inflateEnd(&input->gzip);
    (void)ZSTD_freeDStream(input->zstd);
    if (input->fd != STDIN_FILENO)
        (void)close(input->fd);
    free(input->packed);
    free(input->room);
    free(input);
}

/* ---- Taking ---------------------------------------------------------------------------------- */

const char *input_peek(struct input *input, size_t *count) {
    while (input->end - input->at < INPUT_PEEK_BYTES && fill(input)) {
    }
    *count = input->end - input->at < INPUT_PEEK_BYTES ? input->end - input->at : INPUT_PEEK_BYTES;
    return input->room + input->at;
}

static char *take_line(struct input *input, size_t length, size_t with_end) {
    char *line = input->room + input->at;
    if (memchr(line, '\0', length))
        input->fault = "a line has a zero in it: this is no text";
    line[length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    input->at += with_end;
    input->taken += with_end;
    input->line_number++;
    return input->fault ? NULL : line;
}

char *input_line(struct input *input) {
    for (size_t looked = 0; !input->fault;) {
        const size_t have = input->end - input->at;
        const char *line = input->room + input->at;
        const char *newline = have > looked ? memchr(line + looked, '\n', have - looked) : NULL;
        if (newline)
            return take_line(input, (size_t)(newline - line), (size_t)(newline - line) + 1);
        if (have > INPUT_LINE_MAX) {
            input->line_number++;
            input->fault = "a line is too long: this is no text";
            return NULL;
        }
        looked = have;
        if (fill(input))
            continue;
        if (input->fault || have == 0)
            return NULL;
        if (input->at + have == ROOM_BYTES) { /* there must be room for the zero behind it */
            memmove(input->room, line, have);
            input->at = 0;
            input->end = have;
        }
        return take_line(input, have, have);
    }
    return NULL;
}

const void *input_bytes(struct input *input, size_t count) {
    while (input->end - input->at < count && fill(input)) {
    }
    if (input->end - input->at < count)
        return NULL;
    const char *bytes = input->room + input->at;
    input->at += count;
    input->taken += count;
    return bytes;
}

const char *input_fault(const struct input *input) {
    return input->fault;
}

uint64_t input_line_number(const struct input *input) {
    return input->line_number;
}

uint64_t input_offset(const struct input *input) {
    return input->taken;
}

uint64_t input_packed_offset(const struct input *input) {
    return input->packed_taken;
}

uint64_t input_packed_bytes(const struct input *input) {
    return input->packed_bytes;
}
