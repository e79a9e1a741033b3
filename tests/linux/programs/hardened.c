/* One memory error per run, named by the first argument; and looks at what hardening promises. Each
 * says "ready" before its mistake, so that a test knows it came so far. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUN_BYTES = 100000 };

static void ready(void) {
    (void)write(STDOUT_FILENO, "ready\n", 6);
}

/* Other objects of the same class come and go. */
static void churn(unsigned count, size_t size_bytes) {
    while (count-- > 0)
        free(malloc(size_bytes));
}

/* ---- mistakes ---- */

static void double_free_at_once(void) {
    char *object = malloc(100);
    free(object);
    ready();
    free(object);
}

static void double_free_later(void) {
    char *object = malloc(100);
    free(object);
    churn(200, 100);
    ready();
    free(object);
}

static void *free_it(void *object) {
    free(object);
    return NULL;
}

static void double_free_by_another_thread(void) {
    pthread_t thread;
    char *object = malloc(100);
    if (pthread_create(&thread, NULL, free_it, object) != 0 || pthread_join(thread, NULL) != 0)
        return;
    ready();
    free(object);
}

static void double_free_of_a_large_block(void) {
    char *run = malloc(RUN_BYTES);
    free(run);
    ready();
    free(run);
}

static void free_of_the_interior(void) {
    char *object = malloc(100);
    ready();
    free(object + 16);
}

static void free_of_the_interior_of_a_large_block(void) {
    char *run = malloc(RUN_BYTES);
    ready();
    free(run + 8192);
}

static void free_of_the_stack(void) {
    char object[64];
    char *volatile pointer = object;
    ready();
    free(pointer);
}

static void free_of_a_guard(void) {
    char *run = malloc(RUN_BYTES);
    ready();
    free(run - 4096);
}

static void realloc_of_a_freed_object(void) {
    char *volatile object = malloc(100);
    free(object);
    ready();
    (void)!realloc(object, 300);
}

static void realloc_of_the_stack(void) {
    char object[64];
    char *volatile pointer = object;
    ready();
    (void)!realloc(pointer, 300);
}

/* Not in every C library. */
extern void free_sized(void *pointer, size_t size_bytes) __attribute__((weak));

static void free_with_a_wrong_size(void) {
    char *object = malloc(100);
    ready();
    free_sized(object, 300);
}

static void write_after_free(void) {
    char *volatile object = malloc(100);
    free(object);
    object[3] = 7;
    ready();
    churn(100000, 100);
}

/* ---- faults: the guard is hit ---- */

static void overflow_of_a_large_block(void) {
    volatile char *run = malloc(RUN_BYTES);
    const size_t usable = malloc_usable_size((void *)(unsigned long)run);
    run[usable - 1] = 1;
    ready();
    run[(usable + 65535) & ~(size_t)65535] = 1;
    run[usable] = 1;
}

static void underflow_of_a_large_block(void) {
    volatile char *run = malloc(RUN_BYTES);
    run[0] = 1;
    ready();
    run[-1] = 1;
}

/* The last object of a slab: from any object upwards there is a guard within one slab's length. */
static void overflow_of_a_slab(void) {
    volatile char *object = malloc(100);
    ready();
    for (size_t i = 0; i < 1 << 18; i++)
        object[i] = object[i];
}

static void underflow_of_a_slab(void) {
    volatile char *object = malloc(100);
    ready();
    for (long i = 0; i > -(1L << 18); i--)
        object[i] = object[i];
}

static void read_of_a_freed_large_block(void) {
    volatile char *run = malloc(RUN_BYTES);
    run[0] = 1;
    free((void *)(unsigned long)run);
    ready();
    (void)run[0];
}

/* ---- what is promised ---- */

/* "zeroes" iff a freed object reads so, and its place is not given out for a while. */
static void read_after_free(void) {
    unsigned char *volatile object = memset(malloc(100), 0x77, 100);
    unsigned sum = 0, again = 0;
    free(object);
    for (unsigned i = 0; i < 100; i++)
        sum += object[i];
    for (unsigned i = 0; i < 100; i++) {
        void *other = malloc(100);
        again += other == object;
        free(other);
    }
    puts(sum == 0 && again == 0 ? "zeroes" : "no");
}

/* Distances between 16 objects: the same in each run iff the order is. */
static void print_order(void) {
    char *first = malloc(1000);
    for (unsigned i = 0; i < 16; i++)
        printf("%ld ", (long)((char *)malloc(1000) - first));
    puts("");
    (void)fflush(stdout);
}

/* Parent and child draw from here on: two lines. */
static void print_order_of_a_fork(void) {
    print_order();
    const pid_t child = fork();
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    print_order();
}

/* Bytes that are neither live nor resident for long: see the statistics at exit. */
static void fill_the_quarantine(void) {
    for (size_t size = 16; size <= 32768; size += size < 128 ? 16 : size / 4)
        churn(3000, size);
    churn(2, (size_t)64 << 20); /* more than all that may be kept */
    churn(1000, RUN_BYTES);
}

/* More slabs and runs than may have guards. */
static void many_blocks(void) {
    unsigned got = 0;
    for (unsigned i = 0; i < 12000; i++) {
        char *run = malloc(40000);
        got += run != NULL;
        if (run)
            run[0] = 1;
    }
    printf("%u blocks\n", got);
}

/* ---- */

static const struct {
    const char *name;
    void (*run)(void);
} verbs[] = {
#define VERB(function)                                                                             \
    { #function, function }
    VERB(double_free_at_once),
    VERB(double_free_later),
    VERB(double_free_by_another_thread),
    VERB(double_free_of_a_large_block),
    VERB(free_of_the_interior),
    VERB(free_of_the_interior_of_a_large_block),
    VERB(free_of_the_stack),
    VERB(free_of_a_guard),
    VERB(realloc_of_a_freed_object),
    VERB(realloc_of_the_stack),
    VERB(free_with_a_wrong_size),
    VERB(write_after_free),
    VERB(overflow_of_a_large_block),
    VERB(underflow_of_a_large_block),
    VERB(overflow_of_a_slab),
    VERB(underflow_of_a_slab),
    VERB(read_of_a_freed_large_block),
    VERB(read_after_free),
    VERB(print_order),
    VERB(print_order_of_a_fork),
    VERB(fill_the_quarantine),
    VERB(many_blocks),
};

int main(int argc, char **argv) {
    for (unsigned i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            verbs[i].run();
            return 0;
        }
    }
    return 2;
}
