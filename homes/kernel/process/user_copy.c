/* user_copy.c: see user_copy.h. */
#include "user_copy.h"

#include "kernel.h"

/* The pointer for one address and how many bytes of `bytes` lie in its page. */
static int64_t piece_at(struct space *space, uint64_t address, unsigned access, size_t bytes,
                        unsigned char **piece, size_t *length) {
    enum space_fault fault;
    size_t left = PAGE_BYTES - address % PAGE_BYTES;

    if (address >= USER_END)
        return -ERROR_FAULT;
    *piece = space_pointer(space, address, access, &fault);
    *length = bytes < left ? bytes : left;
    if (*piece != NULL)
        return 0;
    return fault == SPACE_FAULT_NO_MEMORY ? -ERROR_NO_MEMORY : -ERROR_FAULT;
}

/* From the process into `in`, to it from `out`, or, both NULL, only as far as to write there. */
static int64_t transfer(struct space *space, uint64_t user, size_t bytes, unsigned char *in,
                        const unsigned char *out) {
    unsigned access = in != NULL ? REGION_READ : REGION_WRITE;
    unsigned char *piece;
    size_t length;

    for (size_t done = 0; done < bytes; done += length) {
        int64_t status = piece_at(space, user + done, access, bytes - done, &piece, &length);

        if (status != 0)
            return status;
        if (in != NULL)
            memcpy(in + done, piece, length);
        if (out != NULL)
            memcpy(piece, out + done, length);
    }
    return 0;
}

int64_t user_copy_in(struct space *space, void *to, uint64_t from, size_t bytes) {
    return transfer(space, from, bytes, to, NULL);
}

int64_t user_copy_out(struct space *space, uint64_t to, const void *from, size_t bytes) {
    return transfer(space, to, bytes, NULL, from);
}

int64_t user_make_writable(struct space *space, uint64_t to, size_t bytes) {
    return transfer(space, to, bytes, NULL, NULL);
}

int64_t user_copy_text(struct space *space, char *to, uint64_t from, size_t size) {
    unsigned char *piece;
    size_t length;

    for (size_t done = 0; done < size; done += length) {
        int64_t status = piece_at(space, from + done, REGION_READ, size - done, &piece, &length);
        const void *end;

        if (status != 0)
            return status;
        memcpy(to + done, piece, length);
        end = memchr(to + done, 0, length);
        if (end != NULL)
            return (int64_t)((const char *)end - to);
    }
    return -ERROR_TOO_LONG;
}
