/* bench.c: the region heap's policies against each other and against the C library's malloc.
 *
 *   bench traces           nanoseconds per operation and packing on three synthetic traces
 *   bench growth           the same operation with 10^2 .. 10^7 live chunks
 *   bench longest          the longest single operation of a trace, noise removed
 *   bench clock            the counter of reference cycles and its MHz, to tell cycles from times
 *
 * Every contender runs in a process of its own. A region heap grows like a process: by 64 KiB at
 * the end of its region whenever a request fails; its footprint is what it has grown to. Packing is
 * peak footprint / peak of what the trace asked for and still held.
 */
#include "larder/fit.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SPACE ((size_t)8 << 30)
#define STEP ((size_t)64 << 10)
#define GLIBC LARDER_FIT_POLICY_COUNT

static struct larder_fit heap;
static struct larder_fit_region region;
static unsigned char *space, *limit;
static unsigned contender;

static uint64_t random_next(uint64_t *state) {
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ---- Contenders ------------------------------------------------------------------------------ */

static const char *name_of(unsigned which) {
    return which == GLIBC ? "glibc malloc" : larder_fit_policy_text((enum larder_fit_policy)which);
}

static void begin(unsigned which) {
    contender = which;
    if (which == GLIBC) {
        mallopt(M_MMAP_THRESHOLD, 1 << 30);
        return;
    }
    space = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    limit = space + STEP;
    if (space == MAP_FAILED || !larder_fit_init(&heap, (enum larder_fit_policy)which) ||
        larder_fit_add_region(&heap, &region, space, STEP, 0, 0) == 0) {
        abort();
    }
}

static void *grow_and_get(size_t bytes) {
    void *pointer = NULL;
    while (pointer == NULL && (size_t)(limit - space) + STEP <= SPACE) {
        limit += STEP;
        larder_fit_grow(&heap, &region, limit);
        pointer = larder_fit_alloc(&heap, bytes);
    }
    return pointer;
}

static inline void *get(size_t bytes) {
    if (contender == GLIBC) {
        return malloc(bytes);
    }
    void *pointer = larder_fit_alloc(&heap, bytes);
    return pointer != NULL ? pointer : grow_and_get(bytes);
}

static inline void put(void *pointer) {
    if (contender == GLIBC) {
        free(pointer);
    } else {
        larder_fit_free(&heap, pointer);
    }
}

static size_t footprint(void) {
    if (contender == GLIBC) {
        struct mallinfo2 info = mallinfo2();
        return info.arena + info.hblkhd;
    }
    return (size_t)(limit - space);
}

/* ---- Traces ---------------------------------------------------------------------------------- */

#define OPERATIONS 400000u
#define SLOTS 8192u

struct operation {
    uint32_t slot;
    uint32_t bytes; /* 0: free */
};
static struct operation trace[OPERATIONS];
static size_t peak_live;

static uint32_t size_server(uint64_t bits) {
    unsigned kind = (unsigned)(bits % 100);
    uint32_t value = (uint32_t)(bits >> 32);
    return kind < 70 ? 16 + value % 112 : kind < 95 ? 128 + value % 896 : 1024 + value % 15360;
}

static uint32_t size_few(uint64_t bits) {
    static const uint32_t sizes[] = {24, 24, 24, 40, 40, 64, 96, 200, 520, 4096};
    return sizes[bits % 10];
}

static uint32_t size_flat(uint64_t bits) {
    return 8 + (uint32_t)(bits >> 32) % 2040;
}

/* A random slot is turned over; in a phase that grows, mostly filled, in one that shrinks, mostly
 * emptied. */
static void make_trace(unsigned kind) {
    uint64_t state = 7 + kind;
    static uint32_t held[SLOTS];
    size_t live = 0, count = 0;
    memset(held, 0, sizeof held);
    peak_live = 0;
    while (count < OPERATIONS) {
        uint64_t bits = random_next(&state);
        uint32_t slot = (uint32_t)(bits % SLOTS);
        bool shrinking = kind == 1 && count / 40000 % 2 == 1;
        bool growing = kind == 1 && !shrinking;
        if ((held[slot] != 0 && growing && bits >> 60 < 13) ||
            (held[slot] == 0 && shrinking && bits >> 60 < 13)) {
            continue;
        }
        uint32_t bytes = kind == 0   ? size_server(random_next(&state))
                         : kind == 1 ? size_flat(random_next(&state))
                                     : size_few(random_next(&state));
        bytes = held[slot] != 0 ? 0 : bytes;
        live = live - held[slot] + bytes;
        held[slot] = bytes;
        peak_live = live > peak_live ? live : peak_live;
        trace[count].slot = slot;
        trace[count++].bytes = bytes;
    }
}

static void *slots[SLOTS];

static void run_trace(void) {
    for (size_t i = 0; i < OPERATIONS; i++) {
        if (trace[i].bytes != 0) {
            slots[trace[i].slot] = get(trace[i].bytes);
            *(volatile char *)slots[trace[i].slot] = 1;
        } else {
            put(slots[trace[i].slot]);
            slots[trace[i].slot] = NULL;
        }
    }
}

static const char *const trace_names[] = {"server", "phases", "few sizes"};

static void one_trace(unsigned which, unsigned kind) {
    make_trace(kind);
    begin(which);
    double before = now();
    run_trace();
    double first = (now() - before) / OPERATIONS;
    size_t bytes = footprint();
    double best = first;
    for (unsigned round = 0; round < 4; round++) {
        for (size_t i = 0; i < SLOTS; i++) {
            put(slots[i]);
            slots[i] = NULL;
        }
        before = now();
        run_trace();
        double each = (now() - before) / OPERATIONS;
        best = each < best ? each : best;
    }
    printf("trace\t%s\t%s\t%.1f\t%.3f\n", trace_names[kind], name_of(which), best,
           (double)bytes / (double)peak_live);
}

/* ---- Growth ---------------------------------------------------------------------------------- */

static void one_growth(unsigned which, unsigned power) {
    size_t count = 1;
    for (unsigned i = 0; i < power; i++) {
        count *= 10;
    }
    begin(which);
    void **held = mmap(NULL, count * sizeof *held, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        held[i] = get(16 + random_next(&state) % 112);
    }
    size_t turns = 0, warm = count < 100000 ? count : 100000;
    double begin_time = now(), start = begin_time;
    /* Warm up, then up to a million exchanges or three seconds. */
    while (turns < 1000000 && now() - begin_time < 3e9) {
        for (unsigned i = 0; i < 100; i++) {
            size_t at = random_next(&state) % count;
            put(held[at]);
            held[at] = get(16 + random_next(&state) % 112);
        }
        turns += 100;
        if (turns == (warm + 99) / 100 * 100) {
            start = now();
        }
    }
    size_t measured = turns - (warm + 99) / 100 * 100;
    if (turns <= warm) {
        measured = turns;
        start = begin_time;
    }
    printf("growth\t%zu\t%s\t%.1f\n", count, name_of(which),
           (now() - start) / (double)(2 * measured));
}

/* ---- Longest --------------------------------------------------------------------------------- */

#define REPEATS 5u

/* The least of some runs of the same operation is the operation; the largest of those, the longest.
 */
static void one_longest(unsigned which) {
    static float least[OPERATIONS];
    make_trace(0);
    for (unsigned round = 0; round < REPEATS; round++) {
        if (round == 0 || which == GLIBC) {
            begin(which);
        } else {
            larder_fit_reset(&heap);
            memset(slots, 0, sizeof slots);
        }
        for (size_t i = 0; i < OPERATIONS; i++) {
            double before = now();
            if (trace[i].bytes != 0) {
                slots[trace[i].slot] = get(trace[i].bytes);
            } else {
                put(slots[trace[i].slot]);
                slots[trace[i].slot] = NULL;
            }
            float took = (float)(now() - before);
            least[i] = round == 0 || took < least[i] ? took : least[i];
        }
        for (size_t i = 0; i < SLOTS && which == GLIBC; i++) {
            put(slots[i]);
            slots[i] = NULL;
        }
    }
    float longest = 0;
    for (size_t i = 0; i < OPERATIONS; i++) {
        longest = least[i] > longest ? least[i] : longest;
    }
    printf("longest\t%s\t%.0f\n", name_of(which), (double)longest);
}

/* ---- Cycles ---------------------------------------------------------------------------------- */

/* A counter of constant rate: on x86-64 the time stamp counter, on arm64 the generic timer's. These
 * are reference cycles, not those the core ran: it may be clocked higher or lower. */
#if defined __x86_64__
#define COUNTER "time stamp counter"
static uint64_t cycles(void) {
    return __builtin_ia32_rdtsc();
}
#elif defined __aarch64__
#define COUNTER "cntvct_el0"
static uint64_t cycles(void) {
    uint64_t value;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value));
    return value;
}
#else
#define COUNTER "none"
static uint64_t cycles(void) {
    return 0;
}
#endif

static void print_clock(void) {
    double before = now();
    uint64_t first = cycles();
    while (now() - before < 3e8) {
    }
    uint64_t last = cycles();
    printf("clock\t%s\t%.1f\n", COUNTER, (double)(last - first) * 1e3 / (now() - before));
}

/* ---- Main ------------------------------------------------------------------------------------ */

static void in_a_process(void (*body)(unsigned, unsigned), unsigned which, unsigned what) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body(which, what);
        fflush(stdout);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "bench: %s, %u failed\n", name_of(which), what);
        exit(1);
    }
}

static void longest_of(unsigned which, unsigned what) {
    (void)what;
    one_longest(which);
}

int main(int count, char **words) {
    unsigned most = count > 2 ? (unsigned)atoi(words[2]) : 7;
    if (count > 1 && strcmp(words[1], "clock") == 0) {
        print_clock();
        return 0;
    }
    for (unsigned which = 0; count > 1 && which <= GLIBC; which++) {
        if (strcmp(words[1], "traces") == 0) {
            for (unsigned kind = 0; kind < 3; kind++) {
                in_a_process(one_trace, which, kind);
            }
        } else if (strcmp(words[1], "growth") == 0) {
            for (unsigned power = 2; power <= most; power++) {
                in_a_process(one_growth, which, power);
            }
        } else {
            in_a_process(longest_of, which, 0);
        }
    }
    return 0;
}
