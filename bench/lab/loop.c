/* The worst that can be recorded: nothing but malloc() and free(), 256 blocks alive. N pairs. */
#include <stdlib.h>

int main(int argc, char **argv) {
    static void *block[256];
    unsigned random = 1;
    for (long left = argc > 1 ? atol(argv[1]) : 0; left > 0; left--) {
        random = random * 1103515245 + 12345;
        void **const place = &block[random >> 24];
        free(*place);
        *place = malloc(16 + (random >> 8 & 511));
    }
    return 0;
}
