/* leak [SIZE]: allocate so much in pieces of all sizes, give nothing back, and exit. The kernel
 * takes it all. */
#include "user.h"

#define SIZE_DEFAULT (4ul << 20)

int main(int argc, char **argv) {
    size_t wanted = argc > 1 ? size_of_text(argv[1]) : SIZE_DEFAULT, taken = 0;
    uint64_t random = getpid();
    unsigned pieces = 0;

    for (; taken < wanted; pieces++) {
        size_t bytes = 16 + random_next(&random) % 8192;
        unsigned char *piece = pieces % 64 == 63 ? map(bytes) : malloc(bytes);

        if (piece == NULL)
            return 2;
        memset(piece, (int)pieces, bytes);
        taken += bytes;
    }
    printf("leak: %u pieces, %zu KiB, given back: none\n", pieces, taken >> 10);
    return 0;
}
