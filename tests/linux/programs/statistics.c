/* A program whose heap is known, to be looked at from outside: it says "ready", and ends when its
 * stdin does. 1000 objects of 112 bytes (100 were asked for) and 100 runs of 64 KiB (62,000
 * bytes were) live; 300 runs more came and went.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OBJECTS = 1000, RUNS = 400, KEPT = 100 };

static void *object[OBJECTS], *run[RUNS];

int main(int argc, char **argv) {
    for (unsigned i = 0; i < OBJECTS; i++)
        object[i] = malloc(100);
    for (unsigned i = 0; i < RUNS; i++)
        run[i] = memset(malloc(62000), 1, 62000);
    for (unsigned i = KEPT; i < RUNS; i++)
        free(run[i]);
    if (argc > 1 && strcmp(argv[1], "info") == 0)
        return malloc_info(0, stdout);
    if (argc > 1 && strcmp(argv[1], "numbers") == 0) {
        const struct mallinfo2 wide = mallinfo2();
        printf("%zu %zu %zu\n", wide.arena, wide.uordblks, wide.fordblks);
        malloc_stats();
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "busy") == 0) {
        raise(SIGUSR2);
        free(malloc(65536));
        return 0;
    }
    (void)write(STDOUT_FILENO, "ready\n", 6);
    char byte;
    /* Nothing is allocated from here on. */
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
