/* How long a program stands still while it is asked about its heap.
 *
 * A thread allocates and frees without end, in a heap with LIVE blocks of all sizes, and looks at
 * the clock after each call: the longest time between two looks is how long it stood still. A
 * request is made by signal or at the control socket, and its answer read to the end. "Nothing" is
 * about as long as a request for every block takes: what the machine does by itself.
 */
#include "workload.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LIVE = 500000, REQUESTS = 40 };

static uint64_t longest_ns; /* atomic */

static uint64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Many are small; one in 1,000 is a run of frames. */
static size_t next_size(struct random *random) {
    return random_below(random, 1000) == 0 ? random_between(random, 40000, 140000)
                                           : random_between(random, 16, 1515);
}

static void *churn(void *unused) {
    static char *block[LIVE];
    struct random random = random_seeded(1);
    (void)unused;
    for (uint64_t last = now_ns();;) {
        char **const place = &block[random_below(&random, LIVE)];
        free(*place);
        *place = malloc(next_size(&random));
        **place = 1;
        const uint64_t now = now_ns();
        if (now - last > __atomic_load_n(&longest_ns, __ATOMIC_RELAXED))
            __atomic_store_n(&longest_ns, now - last, __ATOMIC_RELAXED);
        last = now;
    }
    return NULL;
}

static void sleep_ns(uint64_t ns) {
    const struct timespec pause = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    (void)nanosleep(&pause, NULL);
}

/* ---- requests: bytes of the answer ---- */

static size_t ask(const char *question) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    static char text[1 << 16];
    size_t all = 0;
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", getenv("LARDER_CONTROL"));
    const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(file, (const struct sockaddr *)(const void *)&name, sizeof name) == 0 &&
        write(file, question, strlen(question)) > 0) {
        for (ssize_t here; (here = read(file, text, sizeof text)) > 0;)
            all += (size_t)here;
    }
    (void)close(file);
    return all;
}

/* The file comes into its place whole. */
static size_t signal_once(const char *unused) {
    const char *const path = getenv("LARDER_SNAPSHOT_FILE");
    struct stat status;
    (void)unused;
    (void)unlink(path);
    (void)kill(getpid(), SIGUSR2);
    while (stat(path, &status) != 0)
        sleep_ns(100000);
    return (size_t)status.st_size;
}

static size_t wait_as_long(const char *unused) {
    (void)unused;
    sleep_ns(10000000);
    return 0;
}

static const struct request {
    const char *name, *question;
    size_t (*make)(const char *question);
} requests[] = {
    {"nothing, for 10 ms", NULL, wait_as_long},
    {"snapshot by signal", NULL, signal_once},
    {"statistics", "stats\n", ask},
    {"size classes", "caches\n", ask},
    {"every block", "frames\n", ask},
};

enum { KINDS = sizeof requests / sizeof requests[0] };

/* ---- measuring ---- */

struct sample {
    uint64_t took_ns, stood_ns;
    size_t bytes;
};

static struct sample samples[KINDS][REQUESTS];

static struct sample make(const struct request *request) {
    __atomic_store_n(&longest_ns, 0, __ATOMIC_RELAXED);
    const uint64_t start = now_ns();
    const size_t bytes = request->make(request->question);
    const uint64_t end = now_ns();
    return (struct sample){end - start, __atomic_load_n(&longest_ns, __ATOMIC_RELAXED), bytes};
}

static int compare(const void *a, const void *b) {
    const uint64_t first = ((const struct sample *)a)->stood_ns;
    const uint64_t second = ((const struct sample *)b)->stood_ns;
    return (first > second) - (first < second);
}

static void print(unsigned kind) {
    struct sample *const all = samples[kind];
    uint64_t took_ns = 0;
    for (unsigned i = 0; i < REQUESTS; i++)
        took_ns += all[i].took_ns / REQUESTS;
    qsort(all, REQUESTS, sizeof all[0], compare);
    printf("%-20s %10zu %10.2f %12.3f %12.3f\n", requests[kind].name, all[0].bytes,
           (double)took_ns / 1e6, (double)all[REQUESTS / 2].stood_ns / 1e6,
           (double)all[REQUESTS * 9 / 10].stood_ns / 1e6);
}

int main(void) {
    pthread_t thread;
    if (!getenv("LARDER_CONTROL") || pthread_create(&thread, NULL, churn, NULL) != 0)
        return 2;
    sleep_ns(3000000000u); /* until the heap is full */
    for (unsigned i = 0; i < REQUESTS; i++) {
        for (unsigned kind = 0; kind < KINDS; kind++)
            samples[kind][i] = make(&requests[kind]);
    }
    printf(
        "%d live blocks, a thread that allocates all the time, %d requests of each kind in turn\n"
        "milliseconds; `stood still`: the longest time between two of its calls, in a request\n\n",
        LIVE, REQUESTS);
    printf("%-20s %10s %10s %12s %12s\n", "request", "bytes", "takes", "stood still", "90 of 100");
    for (unsigned kind = 0; kind < KINDS; kind++)
        print(kind);
    return 0;
}
