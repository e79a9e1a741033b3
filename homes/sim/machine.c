/* machine.c: machines: RAM behind simulated addresses, an instance on it, its CPUs attached. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GIB ((uint64_t)1 << 30)
#define ARENA_MAX_BYTES ((uint64_t)20 << 40)
#define GARBAGE 0xa5

static const struct larder_range ram_default = {GIB, 64u << 20, LARDER_RANGE_USABLE};

/* ---- RAM ---- */

static bool is_accessible(const struct larder_range *range) {
    return range->kind == LARDER_RANGE_USABLE || range->kind == LARDER_RANGE_DONATED ||
           range->kind == LARDER_RANGE_ABSENT;
}

/* The span of the table. The arena begins at a multiple of 1 GiB, in both kinds of address, so that
 * the largest block is aligned as a pointer as well. */
static void arena_map(struct sim *sim) {
    const struct larder_ranges *table = &sim->ranges;
    if (table->count == 0) {
        return;
    }
    const struct larder_range *last = &table->range[table->count - 1];
    uint64_t first_address = table->range[0].address & ~(GIB - 1);
    uint64_t span_bytes = last->address - first_address + last->size_bytes;
    if (span_bytes > ARENA_MAX_BYTES) {
        return;
    }
    sim->arena_bytes = (size_t)((span_bytes + GIB - 1) & ~(GIB - 1));
    sim->arena = memory_map(sim->arena_bytes, GIB, false);
    sim_check(sim->arena != NULL);
    sim->arena_address = first_address;
}

void *sim_pointer(struct sim *sim, uint64_t address) {
    return (void *)(uintptr_t)(address + sim->config.linear_offset);
}

/* Whole pages inside a range can be touched; the rest is not there. */
static void range_open(struct sim *sim, const struct larder_range *range, bool dirty) {
    uint64_t first = (range->address + LARDER_FRAME_BYTES - 1) & ~(LARDER_FRAME_BYTES - 1);
    uint64_t end = (range->address + range->size_bytes) & ~(LARDER_FRAME_BYTES - 1);
    if (end <= first) {
        return;
    }
    unsigned char *at = sim->arena + (first - sim->arena_address);
    sim_check(mprotect(at, (size_t)(end - first), PROT_READ | PROT_WRITE) == 0);
    if (dirty) {
        memset(at, GARBAGE, (size_t)(end - first));
    }
}

static void arena_open(struct sim *sim, bool dirty) {
    if (!sim->arena) {
        return;
    }
    sim->config.linear_offset = (uintptr_t)sim->arena - (uintptr_t)sim->arena_address;
    /* Neighbours of different kinds share pages: open the whole of what touches. */
    const struct larder_ranges *table = &sim->ranges;
    for (unsigned i = 0; i < table->count; i++) {
        struct larder_range range = table->range[i];
        while (is_accessible(&range) && i + 1 < table->count &&
               is_accessible(&table->range[i + 1]) &&
               table->range[i + 1].address == range.address + range.size_bytes) {
            range.size_bytes += table->range[++i].size_bytes;
        }
        if (is_accessible(&range)) {
            range_open(sim, &range, dirty);
        }
    }
}

/* ---- Start and stop ---- */

static void ranges_fill(struct sim *sim, const struct sim_config *config) {
    const struct larder_range *range = config->range ? config->range : &ram_default;
    unsigned count = config->range ? config->range_count : 1;
    larder_ranges_init(&sim->ranges);
    for (unsigned i = 0; i < count; i++) {
        sim_check(larder_ranges_add(&sim->ranges, range[i].address, range[i].size_bytes,
                                    range[i].kind) == LARDER_OK);
    }
}

static void config_fill(struct sim *sim, const struct sim_config *config) {
    struct larder_config *to = &sim->config;
    sim->cpus = config->cpus ? config->cpus : 1;
    to->ranges = &sim->ranges;
    to->zone_count = config->zone_count;
    for (unsigned i = 0; i < config->zone_count && i < LARDER_ZONES_MAX; i++) {
        to->zone[i] = config->zone[i];
    }
    to->slot_count = config->slots ? config->slots : sim->cpus;
    to->reserve_frames = config->reserve_frames;
    to->interval_ms = config->interval_ms;
    to->debug = config->debug;
    to->hardening = config->hardening;
    to->is_reserved = config->reserved;
}

struct sim *sim_start(const struct sim_config *config) {
    static const struct sim_config nothing;
    if (!config) {
        config = &nothing;
    }
    struct sim *sim = aligned_alloc(_Alignof(struct sim), sizeof *sim);
    sim_check(sim != NULL);
    memset(sim, 0, sizeof *sim);
    memset(&sim->storage, GARBAGE, sizeof sim->storage);
    fault_start();
    ranges_fill(sim, config);
    config_fill(sim, config);
    arena_map(sim);
    arena_open(sim, config->dirty);
    memory_machine = sim;
    sim->map_from_ranges = config->map_from_ranges;
    sim_be(0);
    sim->larder = larder_init(&sim->storage, &sim->config, &sim->status);
    for (unsigned cpu = 0; sim->larder && !config->unattached && cpu < sim->cpus; cpu++) {
        sim_check(sim_attach(sim, cpu));
    }
    return sim;
}

static void detach_all(struct sim *sim) {
    for (unsigned id = 0; id < SIM_CPUS_MAX; id++) {
        if (sim_slot_of(sim, id)) {
            sim_detach(sim, id);
        }
    }
}

static void machine_end(struct sim *sim) {
    if (sim->arena) {
        munmap(sim->arena, sim->arena_bytes);
    }
    if (memory_machine == sim) {
        memory_machine = NULL;
    }
    free(sim);
}

void sim_stop(struct sim *sim) {
    if (sim->larder) {
        detach_all(sim);
        sim_be(0);
        larder_fini(sim->larder);
    }
    unsigned left = memory_reservations(sim);
    if (left) {
        sim_fail("%u reservations are still there after larder_fini()", left);
    }
    machine_end(sim);
}

static struct sim_attachment *attachment_find(struct sim *sim, unsigned cpu) {
    struct sim_cpu *c = cpu_get(cpu);
    for (unsigned i = 0; i < c->attached_count; i++) {
        if (c->attached[i].larder == sim->larder) {
            return &c->attached[i];
        }
    }
    return NULL;
}

static void attachment_drop(struct sim *sim, unsigned cpu) {
    struct sim_cpu *c = cpu_get(cpu);
    struct sim_attachment *a = attachment_find(sim, cpu);
    if (a) {
        *a = c->attached[--c->attached_count];
    }
}

void sim_abandon(struct sim *sim) {
    sim_reset();
    for (unsigned cpu = 0; sim->larder && cpu < SIM_CPUS_MAX; cpu++) {
        attachment_drop(sim, cpu);
    }
    memory_release_all(sim);
    machine_end(sim);
}

/* ---- CPUs ---- */

struct larder_slot *sim_slot_of(struct sim *sim, unsigned cpu) {
    struct sim_attachment *a = attachment_find(sim, cpu);
    return a ? a->slot : NULL;
}

bool sim_attach(struct sim *sim, unsigned cpu) {
    struct sim_cpu *c = cpu_get(cpu);
    sim_check(c->attached_count < SIM_INSTANCES_MAX);
    struct larder_slot *slot = larder_slot_attach(sim->larder, cpu);
    if (slot) {
        c->attached[c->attached_count++] = (struct sim_attachment){sim->larder, slot};
    }
    return slot != NULL;
}

void sim_detach(struct sim *sim, unsigned cpu) {
    struct larder_slot *slot = sim_slot_of(sim, cpu);
    sim_check(slot != NULL);
    attachment_drop(sim, cpu);
    larder_slot_detach(sim->larder, slot);
}

/* Outside schedules the other CPUs stand still between calls, so they can be emptied from here. In
 * a schedule one of them may be in the middle of anything: then nothing is done, as the port
 * allows. */
void larder_port_empty_slots(struct larder *larder) {
    const struct sim_cpu *here = cpu_now();
    check_no_lock("empty_slots");
    if (!schedule_can_stop_others()) {
        return;
    }
    for (unsigned id = 0; id < SIM_CPUS_MAX; id++) {
        const struct sim_cpu *cpu = cpu_get(id);
        for (unsigned i = 0; cpu != here && i < cpu->attached_count; i++) {
            if (cpu->attached[i].larder == larder) {
                larder_reclaim_slot(larder, cpu->attached[i].slot);
            }
        }
    }
}

void sim_validate(struct sim *sim) {
    struct larder_fatal found = {0};
    struct sim_cpu *cpu = cpu_now();
    if (cpu->held_count || cpu->entered) {
        sim_fail("CPU %u came back with %u locks held and its slot entered %u times", cpu->id,
                 cpu->held_count, cpu->entered);
    }
    if (!larder_validate(sim->larder, &found)) {
        sim_fail("validate: %s (owner %s, pointer %p)", found.detail ? found.detail : "no detail",
                 found.owner ? found.owner : "none", found.pointer);
    }
}
