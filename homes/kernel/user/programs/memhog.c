/* memhog [SIZE]: take so much memory and touch every page of it; without SIZE, until none is left.
 * What the kernel says when memory ends, or the limit, is the point. */
#include "user.h"

#define PIECE_BYTES (2ul << 20) /* a block of the kernel's, if it has one */
#define PAGE 4096u

static void touch(unsigned char *piece, size_t bytes, uint64_t mark) {
    for (size_t at = 0; at < bytes; at += PAGE)
        *(uint64_t *)(piece + at) = mark + at;
}

static bool is_intact(const unsigned char *piece, size_t bytes, uint64_t mark) {
    for (size_t at = 0; at < bytes; at += PAGE)
        if (*(const uint64_t *)(piece + at) != mark + at)
            return false;
    return true;
}

/* The pieces are a list through their second words. */
static bool check_all(unsigned char *last) {
    for (; last != NULL; last = *(unsigned char **)(last + 8))
        if (!is_intact(last, PIECE_BYTES, (uint64_t)last))
            return false;
    return true;
}

int main(int argc, char **argv) {
    size_t wanted = argc > 1 ? size_of_text(argv[1]) : SIZE_MAX, taken = 0;
    unsigned char *last = NULL, *piece;
    struct meminfo info;

    while (taken < wanted && (piece = map(PIECE_BYTES)) != NULL) {
        touch(piece, PIECE_BYTES, (uint64_t)piece);
        *(unsigned char **)(piece + 8) = last;
        last = piece;
        taken += PIECE_BYTES;
    }
    meminfo(&info);
    printf("memhog: %zu MiB taken, %lu KiB resident, %lu KiB of tables, %lu blocks of 2 MiB\n",
           taken >> 20, info.resident_bytes >> 10, info.table_bytes >> 10, info.block_count);
    if (!check_all(last)) {
        printf("memhog: memory does not hold what was written\n");
        return 1;
    }
    return wanted != SIZE_MAX && taken < wanted ? 2 : 0;
}
