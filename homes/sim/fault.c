/* fault.c: what can be made to fail, and what tells time, chance and events.
 *
 * Every call of should_fail(), reserve and commit passes fault_now() with its site's name. Sites
 * are counted, so that a test can find out how many calls an operation makes and then fail each
 * of them in turn.
 */
#include "internal.h"

#include <stdatomic.h>
#include <string.h>

#define NAMES_MAX 128u

/* Names and how often each was seen. Not kept with SIM_THREADS: counting would order the threads
 * and hide their races from the sanitizer. */
struct counters {
    unsigned count;
    struct counter {
        const char *name;
        uint64_t calls;
    } entry[NAMES_MAX];
};

static struct counters sites, traces;
static atomic_uint_least64_t clock_ms;
static atomic_uint_least64_t entropy_state;

/* The order given: fail call number `nth` of `site` (NULL: any). */
static struct {
    const char *site;
    atomic_uint_least64_t left; /* calls until the one that fails; 0: no order */
    bool lasting;
    atomic_bool happened;
} order;

static struct counter *counter_find(struct counters *counters, const char *name) {
    for (unsigned i = 0; i < counters->count; i++) {
        if (strcmp(counters->entry[i].name, name) == 0) {
            return &counters->entry[i];
        }
    }
    return NULL;
}

static void counter_add(struct counters *counters, const char *name) {
#ifndef SIM_THREADS
    struct counter *counter = counter_find(counters, name);
    if (!counter) {
        if (counters->count == NAMES_MAX) {
            sim_fail("more than %u names of sites or events", NAMES_MAX);
        }
        counter = &counters->entry[counters->count++];
        *counter = (struct counter){name, 0};
    }
    counter->calls++;
#else
    (void)counters;
    (void)name;
#endif
}

static void fail_order(const char *site, uint64_t nth, bool lasting) {
    order.site = site;
    order.lasting = lasting;
    order.happened = false;
    order.left = nth;
}

void sim_fail_nth(uint64_t nth) {
    fail_order(NULL, nth, false);
}

void sim_fail_nth_of(const char *site, uint64_t nth) {
    fail_order(site, nth, false);
}

void sim_fail_from(uint64_t nth) {
    fail_order(NULL, nth, true);
}

void sim_fail_off(void) {
    order.left = 0;
}

bool sim_fail_happened(void) {
    return order.happened;
}

/* Count one call down. Relaxed: an order between the threads would hide their races. */
static bool order_due(void) {
    uint64_t left = atomic_load_explicit(&order.left, memory_order_relaxed);
    while (left > (order.lasting ? 1u : 0u)) {
        if (atomic_compare_exchange_weak_explicit(&order.left, &left, left - 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            return left == 1;
        }
    }
    return left == 1;
}

bool fault_now(const char *site) {
    counter_add(&sites, site);
    if (atomic_load_explicit(&order.left, memory_order_relaxed) == 0) {
        return false;
    }
    if (order.site && strcmp(order.site, site) != 0) {
        return false;
    }
    if (!order_due()) {
        return false;
    }
    atomic_store_explicit(&order.happened, true, memory_order_relaxed);
    return true;
}

void fault_start(void) {
    memset(&traces, 0, sizeof traces);
    clock_ms = 0;
}

bool sim_should_fail(const char *site) {
    schedule_point(SIM_FAULT, site);
    return fault_now(site);
}

void sim_sites_reset(void) {
    memset(&sites, 0, sizeof sites);
}

unsigned sim_sites(void) {
    return sites.count;
}

const char *sim_site_name(unsigned site) {
    return site < sites.count ? sites.entry[site].name : NULL;
}

uint64_t sim_site_calls(unsigned site) {
    return site < sites.count ? sites.entry[site].calls : 0;
}

void sim_clock_set(uint64_t ms) {
    clock_ms = ms;
}

void sim_clock_advance(uint64_t ms) {
    clock_ms += ms;
}

uint64_t larder_port_clock_ms(void) {
    return atomic_load_explicit(&clock_ms, memory_order_relaxed);
}

/* splitmix64 (Steele, Lea, Flood 2014): the same numbers in every run. */
uint64_t larder_port_entropy(void) {
    uint64_t z =
        atomic_fetch_add_explicit(&entropy_state, 0x9e3779b97f4a7c15u, memory_order_relaxed);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void sim_trace(const char *what) {
    counter_add(&traces, what);
    schedule_point(SIM_TRACE, what);
}

uint64_t sim_traced(const char *what) {
    const struct counter *counter = counter_find(&traces, what);
    return counter ? counter->calls : 0;
}
