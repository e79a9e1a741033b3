/* Used before its constructor and after its exit handlers: in constructors with the first priority
 * there is, in handlers of exit(), and in destructors that run last. A block lives through it all.
 */
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *early; /* from the first constructor, freed by the last destructor */

static bool is_early_whole(void) {
    for (unsigned i = 0; i < 3000; i++) {
        if (early[i] != 5)
            return false;
    }
    return true;
}

__attribute__((constructor(101))) static void at_first(void) {
    early = memset(malloc(3000), 5, 3000);
    free(malloc(100000));
}

/* Nothing else can tell of a failure so late: the status is the test's result. */
__attribute__((destructor(101))) static void at_last(void) {
    char *late = calloc(1, 100000);
    if (!late || late[99999] != 0 || !is_early_whole())
        _exit(9);
    free(late);
    free(early);
}

static void at_exit(void) {
    char *late = malloc(5000);
    if (!late || !is_early_whole())
        _exit(8);
    free(late);
}

static void blocks_of_constructors_are_ours(void) {
    EXPECT(early && is_early_whole());
    early = realloc(early, 6000);
    EXPECT(early && is_early_whole());
}

static void handlers_of_exit_may_allocate(void) {
    EXPECT(atexit(at_exit) == 0);
}

static const struct tap_test tests[] = {
    TAP_TEST(blocks_of_constructors_are_ours),
    TAP_TEST(handlers_of_exit_may_allocate),
};

TAP_MAIN(tests)
