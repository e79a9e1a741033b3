/* Rounds, series, JSON. See bench.h. */
#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool quick;

enum { SERIES_MAX = 400, VALUES_MAX = 64, NOTES_MAX = 16, TEXT_MAX = 160 };

struct series {
    char id[TEXT_MAX], title[TEXT_MAX], unit[TEXT_MAX], name[TEXT_MAX];
    unsigned count;
    double value[VALUES_MAX];
};

static struct series all[SERIES_MAX];
static unsigned series_count;
static char notes[NOTES_MAX][TEXT_MAX * 2];
static unsigned note_count;

/* ---- Messages -------------------------------------------------------------------------------- */

void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
}

_Noreturn void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void note(const char *format, ...) {
    va_list arguments;
    if (note_count == NOTES_MAX)
        die("more than %d notes", NOTES_MAX);
    va_start(arguments, format);
    (void)vsnprintf(notes[note_count], sizeof notes[0], format, arguments);
    va_end(arguments);
    say("note: %s\n", notes[note_count++]);
}

/* ---- Time, place, chance --------------------------------------------------------------------- */

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void) {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t wall_ns(void) {
    return read_clock(CLOCK_MONOTONIC);
}

static cpu_set_t allowed;

static void find_cpus(void) {
    if (CPU_COUNT(&allowed) == 0 && sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        die("sched_getaffinity: %s", strerror(errno));
}

unsigned cpu_count(void) {
    find_cpus();
    return (unsigned)CPU_COUNT(&allowed);
}

void pin_to_cpu(unsigned n) {
    cpu_set_t one;
    find_cpus();
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && n-- == 0) {
            CPU_SET(cpu, &one);
            break;
        }
    }
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        die("sched_setaffinity: %s", strerror(errno));
}

void permutation(uint32_t *index, uint32_t count, uint64_t seed) {
    struct chance chance = {.state = seed};
    for (uint32_t i = 0; i < count; i++)
        index[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        const uint32_t j = chance_below(&chance, i), swap = index[i - 1];
        index[i - 1] = index[j];
        index[j] = swap;
    }
}

static struct timespec first_look;

void harness_start(void) {
    (void)clock_gettime(CLOCK_MONOTONIC, &first_look);
    pin_to_cpu(0);
}

/* ---- Series ---------------------------------------------------------------------------------- */

static struct series *series_find(const char *id, const char *name) {
    for (unsigned i = 0; i < series_count; i++)
        if (strcmp(all[i].id, id) == 0 && strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

void record(const char *id, const char *title, const char *unit, const char *name, double value) {
    struct series *series = series_find(id, name);
    if (!series) {
        if (series_count == SERIES_MAX)
            die("more than %d series", SERIES_MAX);
        series = &all[series_count++];
        (void)snprintf(series->id, TEXT_MAX, "%s", id);
        (void)snprintf(series->title, TEXT_MAX, "%s", title);
        (void)snprintf(series->unit, TEXT_MAX, "%s", unit);
        (void)snprintf(series->name, TEXT_MAX, "%s", name);
    }
    if (series->count == VALUES_MAX)
        die("more than %d rounds of %s", VALUES_MAX, id);
    series->value[series->count++] = value;
}

/* Of the time the program has run, the part it had the CPU of its first thread. Waiting for the
 * second thread is rare and short. */
static double cpu_share(void) {
    const struct timespec *start = &first_look;
    const double wall = (double)wall_ns() - ((double)start->tv_sec * 1e9 + (double)start->tv_nsec);
    return (double)clock_ns() / wall;
}

static void write_values(FILE *file, const struct series *series) {
    for (unsigned i = 0; i < series->count; i++)
        (void)fprintf(file, "%s%.4f", i ? ", " : "", series->value[i]);
}

/* The texts are ours: they hold nothing that JSON would have to escape. */
void results_write(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file)
        die("%s: %s", path, strerror(errno));
    (void)fprintf(file, "{\"quick\": %s, \"rounds\": %u, \"cpu_share\": %.4f, \"notes\": [",
                  quick ? "true" : "false", round_count(), cpu_share());
    for (unsigned i = 0; i < note_count; i++)
        (void)fprintf(file, "%s\"%s\"", i ? ", " : "", notes[i]);
    (void)fprintf(file, "],\n\"series\": [\n");
    for (unsigned i = 0; i < series_count; i++) {
        const struct series *s = &all[i];
        (void)fprintf(file,
                      "%s{\"id\": \"%s\", \"title\": \"%s\", \"unit\": \"%s\", \"name\": \"%s\", ",
                      i ? ",\n" : "", s->id, s->title, s->unit, s->name);
        (void)fprintf(file, "\"values\": [");
        write_values(file, s);
        (void)fprintf(file, "]}");
    }
    (void)fprintf(file, "\n]}\n");
    if (fclose(file) != 0)
        die("%s: %s", path, strerror(errno));
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

unsigned round_count(void) {
    return quick ? 3 : 15;
}

static double round_target_ns(void) {
    return quick ? 2e6 : 20e6;
}

static uint64_t round_to_step(double count, uint64_t step) {
    const uint64_t steps = (uint64_t)(count / (double)step);
    return (steps ? steps : 1) * step;
}

/* How many operations take about the target time. Also the warm-up. */
static uint64_t calibrate(const struct contestant *contestant, uint64_t step) {
    uint64_t count = step;
    double ns = contestant->run(contestant->state, count);
    while (ns < round_target_ns() / 8) {
        count *= 2;
        ns = contestant->run(contestant->state, count);
    }
    return round_to_step((double)count * round_target_ns() / ns, step);
}

void contest_run(const struct contest *contest) {
    enum { CONTESTANTS_MAX = 16 };
    uint64_t count[CONTESTANTS_MAX];
    const uint64_t step = contest->step ? contest->step : 1;
    const uint64_t per_unit = contest->counts_per_unit ? contest->counts_per_unit : 1;
    if (contest->contestants > CONTESTANTS_MAX)
        die("%s: more than %d contestants", contest->id, CONTESTANTS_MAX);
    say("%-24s", contest->id);
    for (unsigned i = 0; i < contest->contestants; i++)
        count[i] = calibrate(&contest->contestant[i], step);
    for (unsigned round = 0; round < round_count(); round++) {
        for (unsigned i = 0; i < contest->contestants; i++) {
            const struct contestant *c = &contest->contestant[i];
            const double ns = c->run(c->state, count[i]);
            record(contest->id, contest->title, contest->unit, c->name,
                   ns / (double)count[i] * (double)per_unit);
        }
        say(".");
    }
    say("\n");
}

/* ---- The second thread ----------------------------------------------------------------------- */

static struct {
    bool started;
    sem_t go, done;
    run_function run;
    void *state;
    uint64_t count;
    double ns;
    unsigned arrived; /* atomic: both threads start their loop together */
} second;

static void meet(void) {
    (void)__atomic_add_fetch(&second.arrived, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&second.arrived, __ATOMIC_ACQUIRE) != 2)
        (void)sched_yield();
}

static void *second_main(void *unused) {
    (void)unused;
    pin_to_cpu(1);
    for (;;) {
        while (sem_wait(&second.go) != 0) {
        }
        meet();
        second.ns = second.run(second.state, second.count);
        (void)sem_post(&second.done);
    }
    return NULL;
}

static void second_start(void) {
    pthread_t thread;
    if (second.started)
        return;
    if (sem_init(&second.go, 0, 0) != 0 || sem_init(&second.done, 0, 0) != 0 ||
        pthread_create(&thread, NULL, second_main, NULL) != 0)
        die("cannot start a second thread");
    second.started = true;
}

double run_both(run_function left, void *left_state, run_function right, void *right_state,
                uint64_t count) {
    second_start();
    second.run = right;
    second.state = right_state;
    second.count = count;
    __atomic_store_n(&second.arrived, 0, __ATOMIC_RELEASE);
    (void)sem_post(&second.go);
    meet();
    const double ns = left(left_state, count);
    while (sem_wait(&second.done) != 0) {
    }
    return ns > second.ns ? ns : second.ns;
}
