/* kerneltest.c: see kerneltest.h. After each test the whole heap is validated and the free frames
 * are counted again: what a test took it must have given back. */
#include "kerneltest.h"

#include "census.h"
#include "command.h"

#include "larder/stats.h"

#define NAME_BYTES 32u
#define COMPLAINTS_MAX 8u /* shown of one test */

static const struct kerneltest *const tables[] = {frame_tests,   object_tests, smp_tests,
                                                  machine_tests, window_tests, process_tests};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* The test that runs. */
static unsigned complaints;
static const char *skipped;

/* ---- What a test calls ----------------------------------------------------------------------- */

bool kerneltest_expect(bool ok, const char *file, int line, const char *format, ...) {
    va_list arguments;
    if (ok)
        return true;
    if (++complaints > COMPLAINTS_MAX)
        return false;
    const char *name = strrchr(file, '/');
    printf("# %s:%d: ", name == NULL ? file : name + 1, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    return false;
}

bool kerneltest_equal(uint64_t a, uint64_t b, const char *file, int line, const char *a_text,
                      const char *b_text) {
    return kerneltest_expect(a == b, file, line, "%s is %lu, %s is %lu", a_text, a, b_text, b);
}

void kerneltest_note(const char *format, ...) {
    va_list arguments;
    printf("# ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void kerneltest_skip(const char *why) {
    skipped = why;
}

/* ---- Finding --------------------------------------------------------------------------------- */

/* The i-th of a table, or NULL; then *i is what is left to count. */
static const struct kerneltest *test_in(const struct kerneltest *table, unsigned *i) {
    for (; table->name != NULL; table++, --*i)
        if (*i == 0)
            return table;
    return NULL;
}

/* The i-th of those that are part of "all", or NULL. */
static const struct kerneltest *test_at(unsigned i) {
    for (unsigned t = 0; t < TABLES; t++) {
        const struct kerneltest *test = test_in(tables[t], &i);
        if (test != NULL)
            return test;
    }
    return NULL;
}

static unsigned test_count(void) {
    unsigned count = 0;
    while (test_at(count) != NULL)
        count++;
    return count;
}

static const struct kerneltest *any_test(unsigned i) {
    unsigned count = test_count();
    if (i < count)
        return test_at(i);
    i -= count;
    return test_in(fatal_tests, &i);
}

const char *kerneltest_name(unsigned i) {
    const struct kerneltest *test = any_test(i);
    return test == NULL ? NULL : test->name;
}

static const struct kerneltest *test_find(const char *name) {
    const struct kerneltest *test;
    for (unsigned i = 0; (test = any_test(i)) != NULL; i++)
        if (words_equal(test->name, name))
            return test;
    return NULL;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Descriptors and tables that the core made for itself, and keeps, are not lost. */
static uint64_t at_hand(const struct larder_frames_stats *stats) {
    return stats->free + stats->metadata;
}

static void check_heap(uint64_t at_hand_before) {
    struct larder_frames_stats stats;
    struct larder_fatal fatal;
    if (!EXPECT(larder_validate(kernel_larder, &fatal)))
        larder_fatal_write(&fatal, &shell_terminal.sink);
    census_take(&stats);
    EXPECT_EQUAL(at_hand(&stats), at_hand_before);
}

static bool run_one(const struct kerneltest *test, unsigned number) {
    struct larder_frames_stats before;
    complaints = 0;
    skipped = NULL;
    census_take(&before);
    uint64_t begin_us = clock_us();
    test->run();
    uint64_t elapsed_us = clock_us() - begin_us;
    check_heap(at_hand(&before));
    printf("%s %u - %s", complaints == 0 ? "ok" : "not ok", number, test->name);
    if (skipped != NULL && complaints == 0)
        printf(" # SKIP %s\n", skipped);
    else
        printf(" (%lu ms)\n", elapsed_us / 1000);
    return complaints == 0;
}

static bool run_those_that_begin(const char *beginning) {
    const struct kerneltest *test;
    unsigned count = 0, failed = 0, number = 0;
    for (unsigned i = 0; (test = test_at(i)) != NULL; i++)
        count += words_begins(test->name, beginning);
    printf("1..%u\n", count);
    for (unsigned i = 0; (test = test_at(i)) != NULL; i++)
        if (words_begins(test->name, beginning))
            failed += !run_one(test, ++number);
    printf("# %u passed, %u failed\n", count - failed, failed);
    return failed == 0 && count > 0;
}

/* "process-*": all whose names begin so. */
static bool run_pattern(const char *names) {
    char beginning[NAME_BYTES] = "";
    size_t length = strlen(names) - 1;
    if (length < sizeof beginning)
        memcpy(beginning, names, length);
    return run_those_that_begin(beginning);
}

/* The next name of a list that is separated by commas; *names moves on. False iff there is none. */
static bool next_name(const char **names, char name[NAME_BYTES]) {
    unsigned length = 0;
    if (**names == '\0')
        return false;
    for (; **names != '\0' && **names != ','; ++*names)
        if (length < NAME_BYTES - 1)
            name[length++] = **names;
    name[length] = '\0';
    if (**names == ',')
        ++*names;
    return true;
}

/* The number of names; 0 iff one of them is none. */
static unsigned count_names(const char *names) {
    char name[NAME_BYTES];
    unsigned count = 0;
    while (next_name(&names, name)) {
        if (test_find(name) == NULL) {
            printf("Bail out! There is no test \"%s\".\n", name);
            return 0;
        }
        count++;
    }
    return count;
}

static bool run_named(const char *names) {
    char name[NAME_BYTES];
    unsigned count = count_names(names), failed = 0, number = 0;
    if (count == 0)
        return false;
    printf("1..%u\n", count);
    while (next_name(&names, name))
        failed += !run_one(test_find(name), ++number);
    return failed == 0;
}

bool kerneltest_run(const char *names) {
    shell_terminal_init();
    if (words_equal(names, "all"))
        return run_those_that_begin("");
    return names[0] != '\0' && names[strlen(names) - 1] == '*' ? run_pattern(names)
                                                               : run_named(names);
}
