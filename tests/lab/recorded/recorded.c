/* What tests/lab/record.sh records: each word of the command line is something to do with memory.
 * Sizes that nobody else asks for make the events known. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MARK = 77777, COUNT_BLOCKS = 1000, COUNT_THREADS = 4, COUNT_PASSED = 20000, SLOTS = 64 };

/* Operators new and delete of C++, as C sees them. */
void *_Znwm(size_t size_bytes);
void _ZdlPvm(void *pointer, size_t size_bytes);

static void *kept[COUNT_BLOCKS];

static void family(void) {
    void *pointer = NULL;
    for (int i = 0; i < COUNT_BLOCKS; i++)
        kept[i] = malloc(MARK);
    for (int i = 0; i < COUNT_BLOCKS; i++)
        kept[i] = realloc(kept[i], MARK + 1);
    for (int i = 0; i < COUNT_BLOCKS; i++)
        free(kept[i]);
    free(calloc(7, 11111));
    free(aligned_alloc(256, 256 * 301));
    if (posix_memalign(&pointer, 4096, MARK + 3) == 0)
        free(pointer);
    free(reallocarray(NULL, 7, 11113));
    volatile size_t too_much = (size_t)PTRDIFF_MAX - 4096;
    free(malloc(too_much));
    pointer = malloc(MARK + 5);
    if (realloc(pointer, too_much) == NULL)
        free(pointer);
    (void)!realloc(malloc(MARK + 6), 0);
    _ZdlPvm(_Znwm(MARK + 7), MARK + 7);
}

/* ---- Blocks that one thread makes and another frees ---------------------------------------------
 */

static void *slots[SLOTS];

static void *pass_on(void *seed) {
    unsigned random = (unsigned)(uintptr_t)seed;
    for (int i = 0; i < COUNT_PASSED; i++) {
        random = random * 1664525u + 1013904223u;
        void *block = malloc(16 + (random >> 16) % 64);
        if (random >> 28 == 0)
            block = realloc(block, 100);
        free(__atomic_exchange_n(&slots[(random >> 8) % SLOTS], block, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

static void threads(void) {
    pthread_t thread[COUNT_THREADS];
    for (uintptr_t i = 0; i < COUNT_THREADS; i++)
        (void)pthread_create(&thread[i], NULL, pass_on, (void *)(i + 1));
    for (int i = 0; i < COUNT_THREADS; i++)
        (void)pthread_join(thread[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        free(slots[i]);
}

static void *one_block(void *unused) {
    free(malloc(MARK));
    return unused;
}

static void short_threads(void) {
    for (int i = 0; i < 2000; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, one_block, NULL) == 0)
            (void)pthread_join(thread, NULL);
    }
}

/* ---- Processes ------------------------------------------------------------------------------- */

static void fork_one(void) {
    kept[0] = malloc(MARK);
    const pid_t pid = fork();
    if (pid == 0) {
        for (int i = 1; i < 100; i++)
            kept[i] = malloc(MARK + 1);
        free(kept[0]);
        _exit(0);
    }
    (void)waitpid(pid, NULL, 0);
    free(kept[0]);
}

static void end_by_kill(void) {
    for (int i = 0; i < COUNT_BLOCKS; i++)
        kept[i] = malloc(MARK);
    (void)raise(SIGKILL);
}

/* Goes on, whatever becomes of the recorder, until standard input ends; then says so. */
static void until_input_ends(void) {
    char byte;
    for (int i = 0; i < 300000; i++)
        free(malloc(MARK));
    (void)!write(STDOUT_FILENO, "begun\n", 6);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    for (int i = 0; i < 300000; i++)
        free(malloc(MARK));
    (void)!write(STDOUT_FILENO, "ended\n", 6);
}

/* ---- Stacks ---------------------------------------------------------------------------------- */

static __attribute__((noinline)) void *innermost_function(void) {
    void *block = malloc(MARK);
    __asm__ volatile("" : "+r"(block)); /* no tail call */
    return block;
}

static __attribute__((noinline)) void *outer_function(void) {
    void *block = innermost_function();
    __asm__ volatile("" : "+r"(block));
    return block;
}

static void stack(void) {
    free(outer_function());
}

/* ---- A handler that allocates, which it must not, and does -------------------------------------
 */

static volatile sig_atomic_t count_signals;

static void handler(int number) {
    (void)number;
    count_signals++;
}

static void signals(void) {
    const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    (void)sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 2000; i++) {
        free(malloc(MARK));
        (void)raise(SIGUSR1);
    }
    if (count_signals != 2000)
        exit(3);
}

int main(int argc, char **argv) {
    static const struct {
        const char *word;
        void (*function)(void);
    } words[] = {{"family", family},
                 {"threads", threads},
                 {"short-threads", short_threads},
                 {"fork", fork_one},
                 {"kill", end_by_kill},
                 {"stack", stack},
                 {"signals", signals},
                 {"until-input-ends", until_input_ends}};
    for (int i = 1; i < argc; i++) {
        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            if (strcmp(words[j].word, argv[i]) == 0)
                words[j].function();
        }
    }
    return argc > 1 ? 7 : 0;
}
