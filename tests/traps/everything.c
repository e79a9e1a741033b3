/* Three virtual CPUs and an interrupt handler do everything at once, in schedules drawn at random.
 *
 * Switches happen at every call of the port, so thousands of short runs meet interleavings that
 * real threads meet once a year. What a CPU holds it tags, and checks the tag when it lets go; the
 * end of each run is a whole instance from which nothing is missing.
 */
#include "model.h"

#define CPUS 3u
#define HELD 12u
#define STEPS 14u

static struct sim *sim;
static struct larder *larder;
static struct larder_cache *shared;
static struct random random_of[CPUS + 1]; /* the last is the interrupts' */
static uint64_t *held[CPUS][HELD];
static uint64_t idle_before, seed, round_number;

static uint64_t draw(unsigned who) {
    return random_next(&random_of[who]);
}

static uint64_t tag_of(const uint64_t *at) {
    return (uintptr_t)at * 0x9e3779b97f4a7c15u;
}

static void let_go(uint64_t **place) {
    if (*place) {
        sim_check(**place == tag_of(*place));
        **place = 0;
        uint64_t *at = *place;
        *place = NULL;
        larder_free(larder, at);
    }
}

static uint64_t *get(uint64_t how) {
    switch (how % 9) {
    case 0:
        return larder_frames_alloc(larder, (unsigned)(how / 9 % 5), 0);
    case 1:
        return larder_frames_alloc(larder, 9, 0);
    case 2:
        return larder_frames_alloc_exact(larder, 1 + how / 9 % 30, 0);
    case 3:
        return larder_cache_alloc(shared, 0);
    case 4:
        return larder_zalloc(larder, 8 + how / 9 % 3000);
    case 5:
        return larder_alloc(larder, 8 + how / 9 % 100000);
    case 6:
        return larder_frames_alloc_contiguous(larder, 1 + how / 9 % 40, FRAME, UINT64_MAX, 0);
    default:
        return larder_alloc(larder, 8 + how / 9 % 200);
    }
}

/* Exchange a place for something new; sometimes another CPU's place, as a consumer would. */
static void exchange(unsigned cpu, unsigned of_cpu) {
    uint64_t how = draw(cpu);
    uint64_t *taken = held[of_cpu][how % HELD];
    held[of_cpu][how % HELD] = NULL;
    let_go(&taken);
    uint64_t *at = get(how / HELD);
    if (at) {
        *at = tag_of(at);
        uint64_t **place = &held[cpu][how % HELD];
        if (*place) {
            let_go(&at);
        } else {
            *place = at;
        }
    }
}

static void own_cache(unsigned cpu) {
    struct larder_cache *own = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "own", .size_bytes = 8 + draw(cpu) % 500},
        NULL);
    void *out[5];
    if (own) {
        size_t got = larder_cache_alloc_bulk(own, 5, out, 0);
        larder_cache_free_bulk(own, got, out);
        sim_check(larder_cache_destroy(own, NULL, NULL) == 0);
    }
}

static void body(void *context) {
    unsigned cpu = sim_cpu();
    (void)context;
    for (unsigned step = 0; step < STEPS; step++) {
        switch (draw(cpu) % 24) {
        case 0:
            larder_reclaim(larder);
            break;
        case 1:
            sim_clock_advance(600);
            larder_tick(larder);
            break;
        case 2:
            own_cache(cpu);
            break;
        case 3:
            exchange(cpu, (cpu + 1) % CPUS);
            break;
        case 4:
            larder_cache_shrink(shared);
            break;
        default:
            exchange(cpu, cpu);
        }
    }
}

static void interrupt(void *context) {
    (void)context;
    uint64_t *at = get(draw(CPUS));
    if (at) {
        *at = tag_of(at);
        let_go(&at);
    }
}

static void prepare(void *context) {
    bool is_short = round_number % 4 == 0;
    const struct larder_range range = {GIB, is_short ? 10 * MIB : 40 * MIB, LARDER_RANGE_USABLE};
    (void)context;
    sim = sim_start(&(struct sim_config){.range = &range,
                                         .range_count = 1,
                                         .cpus = CPUS,
                                         .reserve_frames = round_number % 2 * 40,
                                         .debug = round_number % 5 == 4 ? "FZPU" : NULL});
    larder = sim->larder;
    sim_check(larder != NULL);
    shared = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "shared", .size_bytes = 100}, NULL);
    for (unsigned i = 0; i <= CPUS; i++) {
        random_of[i].state = seed + round_number * 17 + i;
    }
    round_number++;
    larder_reclaim(larder);
    idle_before = frames_idle(sim);
}

static void check(void *context) {
    (void)context;
    sim_validate(sim);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        for (unsigned i = 0; i < HELD; i++) {
            let_go(&held[cpu][i]);
        }
    }
    larder_reclaim(larder);
    sim_validate(sim);
    sim_check(frames_idle(sim) == idle_before);
    sim_check(larder_cache_destroy(shared, NULL, NULL) == 0);
}

static void stop(void *context) {
    (void)context;
    sim_stop(sim);
}

static void everything_at_once(void **state) {
    (void)state;
    const struct sim_race race = {.name = "everything",
                                  .cpus = CPUS,
                                  .prepare = prepare,
                                  .body = {body, body, body},
                                  .interrupt = interrupt,
                                  .check = check,
                                  .clean = stop};
    seed = harness_seed();
    sim_play_random(&race, seed, (unsigned)harness_number("LARDER_RACE_ROUNDS", 4 * model_scale()));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_at_once),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
