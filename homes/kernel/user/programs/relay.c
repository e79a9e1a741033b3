/* relay [COUNT]: become this program again, with one less, until none is left: each time a new
 * address space, and the old one gone. */
#include "user.h"

int main(int argc, char **argv) {
    unsigned count = argc > 1 ? (unsigned)size_of_text(argv[1]) : 1;
    char less[16];
    char *arguments[] = {"relay", less, NULL};

    if (count == 0)
        return 0;
    snprintf(less, sizeof less, "%u", count - 1);
    exec("relay", arguments);
    return 1;
}
