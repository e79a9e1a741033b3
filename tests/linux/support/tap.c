/* tap.c: see tap.h. */
#include "tap.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef TAP_LINKED
#define TAP_LINKED 0
#endif

static int failures; /* atomic: of the running test */
static const char *skipped;

/* ---- in a test ---- */

void tap_note(const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("# %s\n", text);
    (void)fflush(stdout);
}

bool tap_expect(bool good, const char *what, const char *file, int line) {
    if (!good && __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED) <= 10)
        tap_note("%s:%d: %s", file, line, what);
    return good;
}

void tap_skip(const char *why) {
    skipped = why;
}

uint64_t tap_seed(void) {
    const char *text = getenv("LARDER_SEED");
    const uint64_t seed = text ? strtoull(text, NULL, 0) : UINT64_C(20261121);
    tap_note("LARDER_SEED=%llu", (unsigned long long)seed);
    return seed;
}

uint64_t tap_random(uint64_t *state) {
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

void tap_sleep_ms(unsigned ms) {
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* ---- memory ---- */

static size_t number_after(const char *path, const char *key) {
    char text[4096];
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        (void)close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *found = strstr(text, key);
    return found ? (size_t)strtoull(found + strlen(key), NULL, 10) : 0;
}

size_t tap_resident_bytes(void) {
    return number_after("/proc/self/status", "VmRSS:") * 1024;
}

size_t tap_free_bytes(void) {
    return number_after("/proc/meminfo", "MemAvailable:") * 1024;
}

/* ---- the control socket ---- */

size_t tap_ask(const char *path, const char *question, unsigned patience_ms) {
    const struct timeval patience = {patience_ms / 1000, (long)(patience_ms % 1000) * 1000};
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char text[4096];
    size_t all = 0;
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(file, (const struct sockaddr *)(const void *)&name, sizeof name) == 0 &&
        send(file, question, strlen(question), MSG_NOSIGNAL) > 0) {
        for (ssize_t here; (here = read(file, text, sizeof text)) > 0;)
            all += (size_t)here;
    }
    (void)close(file);
    return all;
}

/* ---- running ---- */

bool tap_malloc_is_ours(void) {
    void *block = malloc(100);
    const size_t usable = malloc_usable_size(block);
    free(block);
    return usable == 112;
}

static void preload(char **argv) {
    char path[1024];
    const char *build = getenv("LARDER_BUILD");
    char *folder = realpath(build ? build : "build", NULL);
    (void)snprintf(path, sizeof path, "%s/linux/liblarder.so", folder ? folder : "build");
    if (setenv("LD_PRELOAD", path, 1) == 0)
        (void)execv("/proc/self/exe", argv);
    perror("execv");
}

static int run(const struct tap_test *tests, size_t count) {
    bool has_failed = false;
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        failures = 0;
        skipped = NULL;
        tests[i].run();
        printf("%sok %zu - %s%s%s\n", failures ? "not " : "", i + 1, tests[i].name,
               skipped ? " # SKIP " : "", skipped ? skipped : "");
        (void)fflush(stdout);
        has_failed = has_failed || failures;
    }
    return has_failed;
}

int tap_main(char **argv, const struct tap_test *tests, size_t count) {
    if (!TAP_LINKED && !getenv("LD_PRELOAD"))
        preload(argv);
    if (!tap_malloc_is_ours()) {
        printf("Bail out! malloc is not larder's\n");
        return 1;
    }
    return run(tests, count);
}
