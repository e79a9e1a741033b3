/* Memory that is accounted strictly runs out in malloc(), with NULL and ENOMEM, and not later when
 * it is touched. Says which expectation failed; a status of 0 iff none did. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

enum { MOST = 4096 };

static char *block[MOST];

static int expect(bool good, const char *what) {
    if (!good)
        printf("expected: %s\n", what);
    return !good;
}

/* MiB blocks, each written to, until there is no more. */
static unsigned take_all(void) {
    unsigned count = 0;
    for (; count < MOST && (block[count] = malloc(MIB)) != NULL; count++)
        memset(block[count], (int)count, MIB);
    return count;
}

static void give_all(unsigned count) {
    while (count > 0)
        free(block[--count]);
}

int main(void) {
    errno = 0;
    const unsigned count = take_all();
    int failed = expect(count < MOST && errno == ENOMEM, "NULL and ENOMEM in the end");
    failed |= expect(count > 20, "more than 20 MiB before");
    errno = 0;
    char *same = realloc(block[0], MOST * MIB);
    failed |= expect(!same && errno == ENOMEM, "no larger block");
    failed |= expect(block[0][0] == 0 && block[0][MIB - 1] == 0, "and the old one is as it was");
    give_all(count);
    (void)malloc_trim(0);
    const unsigned again = take_all();
    failed |= expect(again >= count, "all of it once more");
    give_all(again);
    printf("%u MiB, then %u\n", count, again);
    return failed;
}
