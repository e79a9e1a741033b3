/* Whatever else the library asks for is refused: threads, keys, files, sockets, clocks, signals,
 * random numbers. Each call of that kind fails once, at each of its occasions, and from then on;
 * the program goes on all the same. (What hands out memory: faults.c.)
 *
 * The library's calls end in this program's functions of that name, as in faults.c. Which there are
 * is read off the library itself, so that none is forgotten.
 */
#include "tap.h"

#include "larder/process.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma weak larder_process_stats

#define MIB ((size_t)1 << 20)

/* ---- the calls ---- */

int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
                      void *owner);

/* X(name, what it returns when it fails, errno then, type, parameters, arguments) */
#define FIXED_CALLS(X)                                                                             \
    X(__register_atfork, ENOMEM, 0, int,                                                           \
      (void (*a)(void), void (*b)(void), void (*c)(void), void *d), (a, b, c, d))                  \
    X(accept4, -1, EMFILE, int, (int a, struct sockaddr *b, socklen_t *c, int d), (a, b, c, d))    \
    X(bind, -1, EACCES, int, (int a, const struct sockaddr *b, socklen_t c), (a, b, c))            \
    X(clock_gettime, -1, EINVAL, int, (clockid_t a, struct timespec * b), (a, b))                  \
    X(connect, -1, ECONNREFUSED, int, (int a, const struct sockaddr *b, socklen_t c), (a, b, c))   \
    X(fchmod, -1, EPERM, int, (int a, mode_t b), (a, b))                                           \
    X(fstat, -1, EOVERFLOW, int, (int a, struct stat *b), (a, b))                                  \
    X(getrandom, -1, ENOSYS, ssize_t, (void *a, size_t b, unsigned c), (a, b, c))                  \
    X(getrlimit, -1, EPERM, int, (__rlimit_resource_t a, struct rlimit * b), (a, b))               \
    X(getrusage, -1, EPERM, int, (__rusage_who_t a, struct rusage * b), (a, b))                    \
    X(getsockopt, -1, ENOBUFS, int, (int a, int b, int c, void *d, socklen_t *e), (a, b, c, d, e)) \
    X(listen, -1, EADDRINUSE, int, (int a, int b), (a, b))                                         \
    X(lstat, -1, EACCES, int, (const char *a, struct stat *b), (a, b))                             \
    X(mincore, -1, EAGAIN, int, (void *a, size_t b, unsigned char *c), (a, b, c))                  \
    X(pthread_attr_init, ENOMEM, 0, int, (pthread_attr_t * a), (a))                                \
    X(pthread_attr_setdetachstate, EINVAL, 0, int, (pthread_attr_t * a, int b), (a, b))            \
    X(pthread_attr_setstacksize, EINVAL, 0, int, (pthread_attr_t * a, size_t b), (a, b))           \
    X(pthread_create, EAGAIN, 0, int,                                                              \
      (pthread_t * a, const pthread_attr_t *b, void *(*c)(void *), void *d), (a, b, c, d))         \
    X(pthread_key_create, EAGAIN, 0, int, (pthread_key_t * a, void (*b)(void *)), (a, b))          \
    X(pthread_setname_np, ERANGE, 0, int, (pthread_t a, const char *b), (a, b))                    \
    X(pthread_setspecific, ENOMEM, 0, int, (pthread_key_t a, const void *b), (a, b))               \
    X(pthread_sigmask, EINVAL, 0, int, (int a, const sigset_t *b, sigset_t *c), (a, b, c))         \
    X(read, -1, EIO, ssize_t, (int a, void *b, size_t c), (a, b, c))                               \
    X(rename, -1, EACCES, int, (const char *a, const char *b), (a, b))                             \
    X(setsockopt, -1, ENOBUFS, int, (int a, int b, int c, const void *d, socklen_t e),             \
      (a, b, c, d, e))                                                                             \
    X(sigaction, -1, EINVAL, int, (int a, const struct sigaction *b, struct sigaction *c),         \
      (a, b, c))                                                                                   \
    X(socket, -1, EMFILE, int, (int a, int b, int c), (a, b, c))                                   \
    X(sysconf, -1, EINVAL, long, (int a), (a))                                                     \
    X(unlink, -1, EACCES, int, (const char *a), (a))                                               \
    X(write, -1, ENOSPC, ssize_t, (int a, const void *b, size_t c), (a, b, c))

/* Those with arguments that vary, and close(), which closes the file all the same. */
#define OTHER_CALLS(X) X(close, ) X(fcntl, ) X(open, ) X(syscall, )

#define CALLS(X) FIXED_CALLS(X) OTHER_CALLS(X)

#define CALL_NUMBER(name, ...) CALL_##name,
#define CALL_NAME(name, ...) #name,

enum { CALLS(CALL_NUMBER) CALL_COUNT };
static const char *const call_names[] = {CALLS(CALL_NAME)};

/* How often each was called by the library, in all of a process: shared with who started it. */
static struct { int made[CALL_COUNT]; } no_counts, *volatile counts = &no_counts;

static volatile int bad_call = -1, bad_number; /* which fails, and at which of its occasions */
static volatile bool is_lasting, is_ready;
static _Thread_local bool is_mine; /* a call of this program's */

#define REAL(name) ((__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name))

/* TEST_REFUSE=CALL:NUMBER or CALL:NUMBER+, TEST_COUNTS=FILE, a descriptor. */
static void read_environment(void) {
    const char *refuse = getenv("TEST_REFUSE"), *file = getenv("TEST_COUNTS");
    is_ready = true;
    if (refuse) {
        bad_call = atoi(refuse);
        bad_number = atoi(strchr(refuse, ':') + 1);
        is_lasting = strchr(refuse, '+') != NULL;
    }
    if (file) {
        void *shared =
            mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(file), 0);
        counts = shared == MAP_FAILED ? counts : shared;
    }
}

static bool must_fail(int call, int error) {
    if (is_mine)
        return false;
    if (!is_ready)
        read_environment();
    const int number = __atomic_fetch_add(&counts->made[call], 1, __ATOMIC_RELAXED);
    if (call != bad_call || number < bad_number || (number > bad_number && !is_lasting))
        return false;
    errno = error ? error : errno;
    return true;
}

#define FIXED_CALL(name, result, error, type, parameters, arguments)                               \
    type name parameters {                                                                         \
        return must_fail(CALL_##name, error) ? (type)(result) : REAL(name) arguments;              \
    }
FIXED_CALLS(FIXED_CALL)

int close(int file) {
    const int closed = REAL(close)(file);
    return must_fail(CALL_close, EIO) ? -1 : closed;
}

int fcntl(int file, int command, ...) {
    va_list more;
    va_start(more, command);
    const long argument = va_arg(more, long);
    va_end(more);
    return must_fail(CALL_fcntl, EMFILE) ? -1 : REAL(fcntl)(file, command, argument);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return must_fail(CALL_open, EMFILE) ? -1 : REAL(open)(path, flags, mode);
}

/* gettid cannot fail, and waiting on a futex may end at any time. */
long syscall(long number, ...) {
    va_list more;
    long a[6];
    va_start(more, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(more, long);
    va_end(more);
    const bool may_fail = number == SYS_futex && (a[1] & 0x7f) == 0; /* FUTEX_WAIT */
    if (may_fail && must_fail(CALL_syscall, EINTR))
        return -1;
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- a program that uses all of it ---- */

enum { BLOCKS = 400 };

static size_t size_of(unsigned i) {
    return 16 + (i * 7919u) % 40000;
}

static void *use_memory(void *unused) {
    char *block[BLOCKS];
    (void)unused;
    for (unsigned i = 0; i < BLOCKS; i++) {
        block[i] = malloc(size_of(i));
        if (!block[i])
            _exit(3);
        memset(block[i], (int)i, size_of(i));
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (block[i][0] != (char)i || block[i][size_of(i) - 1] != (char)i)
            _exit(4);
        free(block[i]);
    }
    return NULL;
}

static void use_memory_on_threads(void) {
    pthread_t thread[2];
    is_mine = true;
    for (unsigned i = 0; i < 2; i++) {
        if (pthread_create(&thread[i], NULL, use_memory, NULL) != 0)
            _exit(5);
    }
    is_mine = false;
    for (unsigned i = 0; i < 2; i++)
        (void)pthread_join(thread[i], NULL);
}

/* Nobody may listen, or answer. */
static size_t ask(const char *question, unsigned patience_ms) {
    is_mine = true;
    const size_t bytes = tap_ask(getenv("LARDER_CONTROL"), question, patience_ms);
    is_mine = false;
    return bytes;
}

/* Who answers one client after another loses the one whose call fails, and no other. */
static bool is_between_clients(int call) {
    return call == CALL_accept4 || call == CALL_getsockopt || call == CALL_setsockopt ||
           call == CALL_mincore || call == CALL_write;
}

static int work(void) {
    struct larder_process_stats stats;
    (void)alarm(60);
    (void)signal(SIGUSR2, SIG_IGN); /* where the library could not take it */
    free(malloc(64 * MIB));         /* now it has a thread */
    (void)use_memory(NULL);
    use_memory_on_threads();
    (void)kill(getpid(), SIGUSR2);
    (void)ask("stats\n", 50);
    (void)ask("frames\n", 50);
    (void)ask("trim\n", 50);
    if (is_between_clients(bad_call) && !is_lasting && ask("stats\n", 20000) == 0)
        return 8;
    tap_sleep_ms(2);
    larder_process_stats(&stats);
    (void)malloc_trim(0);
    (void)use_memory(NULL);
    return stats.live.peak >= stats.live.now ? 0 : 6;
}

/* ---- the tests ---- */

static char folder[] = "/tmp/larder-refused-XXXXXX";
static int counts_file;

static void set_path(const char *option, const char *name) {
    char path[64];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)setenv(option, path, 1);
}

/* As a process leaves it behind that was killed. */
static void leave_socket(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", folder);
    const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)bind(file, (const struct sockaddr *)(const void *)&name, sizeof name);
    (void)close(file);
}

static _Noreturn void become_worker(int call, int number, bool lasting, bool hardened) {
    char text[32];
    (void)snprintf(text, sizeof text, "%d:%d%s", call, number, lasting ? "+" : "");
    (void)setenv("TEST_REFUSE", text, 1);
    (void)snprintf(text, sizeof text, "%d", counts_file);
    (void)setenv("TEST_COUNTS", text, 1);
    set_path("LARDER_CONTROL", "socket");
    set_path("LARDER_STATS_FILE", "stats");
    set_path("LARDER_SNAPSHOT_FILE", "snapshot");
    set_path("LARDER_CGROUP", ".");
    (void)setenv("LARDER_STATS", "json", 1);
    (void)setenv("LARDER_SNAPSHOT_SIGNAL", "USR2", 1);
    (void)setenv("LARDER_HARDENED", hardened ? "1" : "0", 1);
    (void)freopen("/dev/null", "w", stderr); /* the library says what it has to do without */
    (void)execl("/proc/self/exe", "refused", "work", (char *)NULL);
    _exit(7);
}

static bool survives(int call, int number, bool lasting, bool hardened) {
    int status = -1;
    leave_socket();
    (void)memset(counts, 0, sizeof *counts);
    const pid_t child = fork();
    if (child == 0)
        become_worker(call, number, lasting, hardened);
    const bool is_good = waitpid(child, &status, 0) == child && status == 0;
    if (!is_good)
        tap_note("%s %d%s fails: status %#x", call < 0 ? "nothing" : call_names[call], number,
                 lasting ? " and later" : "", status);
    return is_good;
}

static int made[CALL_COUNT]; /* of each, in all workers that nothing was refused */

static void refuse_each(bool hardened, int occasions) {
    int here[CALL_COUNT];
    EXPECT(survives(-1, 0, false, hardened));
    memcpy(here, counts->made, sizeof here);
    for (int call = 0; call < CALL_COUNT; call++) {
        made[call] += here[call];
        for (int number = 0; number < here[call] && number < occasions; number++) {
            EXPECT(survives(call, number, false, hardened));
            EXPECT(survives(call, number, true, hardened));
        }
    }
}

/* Few calls have more occasions than three that differ. */
static void any_call_may_be_refused(void) {
    refuse_each(false, 3);
}

static void hardened_too(void) {
    refuse_each(true, 1);
}

static void each_was_made_and_so_refused(void) {
    for (int call = 0; call < CALL_COUNT; call++) {
        if (!EXPECT(made[call] > 0))
            tap_note("%s is never called here", call_names[call]);
    }
}

/* What cannot fail, or does not matter, or is the affair of faults.c. */
static const char harmless[] =
    " abort clock_nanosleep dlsym environ fwrite getauxval geteuid getpagesize getpid madvise "
    "memchr memcmp memcpy "
    "memmove memset mmap mprotect mremap munmap pthread_attr_destroy sched_yield secure_getenv "
    "sigfillset strchr strcmp strcspn strlen strncmp strrchr strspn strstr strtoul ";

static bool is_known(const char *name) {
    char word[300];
    (void)snprintf(word, sizeof word, " %s ", name);
    for (int call = 0; call < CALL_COUNT; call++) {
        if (strcmp(name, call_names[call]) == 0)
            return true;
    }
    return name[0] == '_' || strstr(harmless, word) != NULL;
}

static void every_call_of_the_library_is_known(void) {
    char line[256];
    unsigned seen = 0;
    const char *const library = getenv("LD_PRELOAD");
    (void)snprintf(line, sizeof line, "LD_PRELOAD= nm -D -u '%s' | sed 's/.* //; s/@.*//'",
                   library);
    FILE *names = popen(line, "r");
    while (names && fgets(line, sizeof line, names)) {
        line[strcspn(line, "\n")] = '\0';
        seen++;
        if (!EXPECT(is_known(line)))
            tap_note("what if %s fails?", line);
    }
    EXPECT(names && pclose(names) == 0 && seen > CALL_COUNT);
}

static const struct tap_test tests[] = {
    TAP_TEST(every_call_of_the_library_is_known),
    TAP_TEST(any_call_may_be_refused),
    TAP_TEST(hardened_too),
    TAP_TEST(each_was_made_and_so_refused),
};

static void start(void) {
    if (!mkdtemp(folder))
        _exit(9);
    counts_file = memfd_create("counts", 0);
    (void)ftruncate(counts_file, (off_t)sizeof *counts);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, counts_file, 0);
}

static void end(void) {
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    (void)system(command);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "work") == 0)
        return work();
    is_mine = getenv("LD_PRELOAD") != NULL;
    if (is_mine)
        start();
    const int status = tap_main(argv, tests, sizeof tests / sizeof tests[0]);
    end();
    return status;
}
