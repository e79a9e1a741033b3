/* forkbomb [COUNT]: become COUNT processes, as a binary tree, all alive at once; each waits for its
 * children. Bounded, so that one can see the end. */
#include "user.h"

#define COUNT_DEFAULT 64u

/* A process that stands for `count` processes: itself, and two children for the rest. Returns how
 * many of them there were. */
static unsigned become(unsigned count) {
    unsigned half = (count - 1) / 2, were = 1;
    unsigned part[2] = {half, count - 1 - half};
    int32_t status;

    for (unsigned i = 0; i < 2; i++) {
        int64_t child = part[i] > 0 ? fork() : -1;

        if (child == 0)
            end(become(part[i]) == part[i] ? 0 : 1);
        if (child > 0)
            were += part[i];
    }
    while (wait(0, &status) > 0)
        if (status != 0)
            were = 0;
    return were;
}

int main(int argc, char **argv) {
    unsigned count = argc > 1 ? (unsigned)size_of_text(argv[1]) : COUNT_DEFAULT;
    unsigned were;

    if (count == 0)
        return 1;
    were = become(count);
    printf("forkbomb: %u of %u processes lived\n", were, count);
    return were == count ? 0 : 2;
}
