/* Everything that a process does with its malloc, at once: the whole family on threads that last
 * and on threads that do not, pages that move, forks, adopted memory, trimming, the purging thread,
 * statistics, snapshots on a signal, questions at the control socket. For the sanitizers above all
 * (sanitized.mk); contents are compared in every build. */
#include "family_model.h"
#include "names.h"
#include "tap.h"

#include "larder/frames.h"
#include "larder/larder.h"
#include "larder/process.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma weak larder_process
#pragma weak larder_process_adopt
#pragma weak larder_process_disown
#pragma weak larder_process_stats
#pragma weak larder_purge
#pragma weak larder_reclaim

#define MIB ((size_t)1 << 20)

enum { WORKERS = 2, CALLS = 1000, SHORT = 4 };

/* Of the others, which pause after each: those that work come to something meanwhile. */
enum { ROUNDS = 12, PAUSE_MS = 2 };

static bool is_child; /* of a fork */
static uint64_t seed;

/* In a child there are no threads to be had, the library's own neither: the sanitizers cannot start
 * any there. (Threads in children: threads.c.) */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context) {
    typedef int function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    function *const next = (function *)(uintptr_t)dlsym(RTLD_NEXT, "pthread_create");
    return is_child ? EAGAIN : next(thread, attributes, run, context);
}

/* ---- the roles ---- */

static void call_at_random(uint64_t random, unsigned calls) {
    struct model model = {.is_alone = false};
    for (unsigned i = 0; i < calls; i++)
        model_call(&model, tap_random(&random));
    model_end(&model);
}

static void *call_all(void *number) {
    call_at_random(seed + (uintptr_t)number, CALLS);
    return NULL;
}

static void *live_shortly(void *number) {
    call_at_random(seed + (uintptr_t)number, CALLS / 20);
    return NULL;
}

static void start_short_threads(void) {
    pthread_t thread[SHORT];
    for (uintptr_t i = 0; i < SHORT; i++)
        EXPECT(pthread_create(&thread[i], NULL, live_shortly, (void *)(i + 100)) == 0);
    for (unsigned i = 0; i < SHORT; i++)
        (void)pthread_join(thread[i], NULL);
}

/* Two blocks that grow past each other. */
static void grow(void) {
    char *block[2] = {malloc(MIB), malloc(MIB)};
    for (unsigned size = 1; size < 8; size++) {
        for (unsigned i = 0; i < 2; i++) {
            memset(block[i] + (size - 1) * MIB, (int)size, 4096);
            block[i] = realloc(block[i], (size + 1) * MIB);
            for (unsigned at = 0; at < size; at++)
                EXPECT(block[i][at * MIB + 4095] == (char)(at + 1));
        }
    }
    free(block[0]);
    free(block[1]);
}

static _Noreturn void in_child(void) {
    is_child = true;
    (void)alarm(60);
    (void)close(STDERR_FILENO); /* no thread, so no control socket: one line says so */
    call_at_random(seed + 7, CALLS / 20);
    (void)malloc_trim(0);
    _exit(0);
}

static void fork_once(void) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0)
        in_child();
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

/* ---- those who look ---- */

static void look(void) {
    struct larder_process_stats stats;
    larder_process_stats(&stats);
    EXPECT(stats.live.peak >= stats.live.now && stats.usable.now <= stats.reserved_bytes);
    EXPECT(kill(getpid(), SIGUSR2) == 0);
    (void)larder_reclaim(larder_process());
    (void)larder_purge(larder_process());
}

static char guest_memory[4096];

static void guest_free(struct larder_guest *guest, void *pointer) {
    (void)pointer;
    __atomic_add_fetch((unsigned *)guest->context, 1, __ATOMIC_RELAXED);
}

static void *guest_realloc(struct larder_guest *guest, void *pointer, size_t size) {
    (void)guest;
    return size <= sizeof guest_memory ? pointer : NULL;
}

static size_t guest_size_of(struct larder_guest *guest, const void *pointer) {
    (void)guest;
    (void)pointer;
    return 64;
}

static void adopt(void) {
    unsigned frees = 0;
    struct larder_guest guest = {.memory = guest_memory,
                                 .size_bytes = sizeof guest_memory,
                                 .free = guest_free,
                                 .realloc = guest_realloc,
                                 .size_of = guest_size_of,
                                 .context = &frees};
    char *volatile memory = guest_memory; /* the compiler knows what free() may not be given */
    EXPECT(larder_process_adopt(&guest));
    EXPECT(malloc_usable_size(memory + 8) == 64);
    free(memory + 8);
    EXPECT(larder_process_disown(&guest));
    EXPECT(frees == 1);
}

static size_t ask(const char *question) {
    char path[108];
    (void)snprintf(path, sizeof path, "%s/%d", getenv("TEST_FOLDER"), getpid());
    return tap_ask(path, question, 0);
}

static void ask_everything(void) {
    static const char *const questions[] = {"stats\n", "caches\n", "frames\n", "trim\n", "help\n"};
    for (unsigned i = 0; i < sizeof questions / sizeof questions[0]; i++)
        EXPECT(ask(questions[i]) > 20);
}

/* ---- all of them ---- */

static void *play(void *role) {
    void (*const *const once)(void) = role;
    for (unsigned round = 0; round < ROUNDS; round++) {
        (*once)();
        tap_sleep_ms(PAUSE_MS);
    }
    return NULL;
}

static void everything_at_once(void) {
    static void (*const roles[])(void) = {start_short_threads, grow, fork_once, look, adopt,
                                          ask_everything};
    enum { ROLES = sizeof roles / sizeof roles[0] };
    pthread_t thread[WORKERS + ROLES];
    seed = tap_seed();
    for (uintptr_t i = 0; i < WORKERS; i++)
        EXPECT(pthread_create(&thread[i], NULL, call_all, (void *)i) == 0);
    for (unsigned i = 0; i < ROLES; i++)
        EXPECT(pthread_create(&thread[WORKERS + i], NULL, play, (void *)(uintptr_t)&roles[i]) == 0);
    for (unsigned i = 0; i < WORKERS + ROLES; i++)
        (void)pthread_join(thread[i], NULL);
    model_end_shared();
}

static const struct tap_test tests[] = {TAP_TEST(everything_at_once)};

/* The options are read at the start of a process: so it starts itself with them. */
static int run_with_options(char **argv) {
    char folder[] = "/tmp/larder-everything-XXXXXX", text[100];
    int status = -1;
    if (!mkdtemp(folder) || setenv("TEST_FOLDER", folder, 1) != 0)
        return 1;
    (void)snprintf(text, sizeof text, "%s/%%p", folder);
    (void)setenv("LARDER_CONTROL", text, 1);
    (void)snprintf(text, sizeof text, "%s/%%p.json", folder);
    (void)setenv("LARDER_SNAPSHOT_FILE", text, 1);
    (void)setenv("LARDER_SNAPSHOT_SIGNAL", "USR2", 1);
    (void)setenv("LARDER_PURGE_MS", "10", 1);
    const pid_t child = fork();
    if (child == 0)
        _exit(execv("/proc/self/exe", argv));
    (void)waitpid(child, &status, 0);
    (void)snprintf(text, sizeof text, "rm -r %s", folder);
    return system(text) == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv) {
    (void)argc;
    return getenv("TEST_FOLDER") ? tap_main(argv, tests, 1) : run_with_options(argv);
}
