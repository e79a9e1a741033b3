/* instance.c: see instance.h. The space is one range of which a prefix is RAM and the rest is
 * ABSENT, to be donated: the way a process grows. */
#include "instance.h"

#include "larder/frames.h"
#include "larder/port.h"
#include "larder/ranges.h"
#include "larder/stats.h"

#include "space.h"

#include <stdio.h>
#include <stdlib.h>

#define SPACE_BYTES ((size_t)1 << 40)
#define FIRST_BYTES ((size_t)64 << 10) /* enough for descriptors and a slot */
#define TRIAL_BYTES ((size_t)2 << 20)

/* ---- Begin and end --------------------------------------------------------------------------- */

/* `memory` lies SPACE_ALIGN into the space: what comes before is room for a lead. */
static bool take_space(struct instance *instance, uint64_t memory_bytes) {
    const size_t memory = memory_bytes & ~(LARDER_FRAME_BYTES - 1);
    size_t bytes;
    instance->may_grow = memory_bytes == 0;
    instance->given_bytes = instance->may_grow ? FIRST_BYTES : memory;
    instance->space = space_take((instance->may_grow ? SPACE_BYTES : memory) + SPACE_ALIGN,
                                 instance->given_bytes + SPACE_ALIGN, &bytes);
    instance->space_bytes = bytes - SPACE_ALIGN;
    instance->storage =
        space_take(sizeof *instance->storage, sizeof *instance->storage, &instance->storage_bytes);
    if (instance->given_bytes == 0 || !instance->space || !instance->storage)
        return false;
    instance->memory = instance->space + SPACE_ALIGN;
    instance->policy.memory = instance->memory;
    return true;
}

static enum larder_status start(struct instance *instance, size_t given_bytes) {
    struct larder_ranges ranges;
    enum larder_status status;
    const struct larder_config config = {.ranges = &ranges, .slot_count = 1};
    const uint64_t address = (uint64_t)(uintptr_t)instance->memory;
    const size_t lead = instance->lead_bytes, absent_bytes = instance->space_bytes - given_bytes;
    larder_ranges_init(&ranges);
    status = larder_ranges_add(&ranges, address - lead, lead + given_bytes, LARDER_RANGE_USABLE);
    if (status == LARDER_OK && instance->may_grow)
        status =
            larder_ranges_add(&ranges, address + given_bytes, absent_bytes, LARDER_RANGE_ABSENT);
    if (status == LARDER_OK)
        instance->larder = larder_init(instance->storage, &config, &status);
    return instance->larder ? LARDER_OK : status;
}

/* Buddies alone need no descriptors of caches, but an instance has them: see on a trial how much
 * that is, and give it before the memory that counts, where the fullest page block is. */
static enum larder_status start_with_lead(struct instance *instance) {
    struct larder_frames_stats frames;
    const size_t trial_bytes = instance->may_grow ? TRIAL_BYTES : instance->given_bytes;
    instance->lead_bytes = TRIAL_BYTES;
    const enum larder_status status = start(instance, trial_bytes);
    if (status != LARDER_OK)
        return status;
    larder_frames_stats(instance->larder, &frames);
    instance->lead_bytes = (frames.usable - frames.free) * LARDER_FRAME_BYTES;
    larder_fini(instance->larder);
    instance->larder = NULL;
    return start(instance, instance->given_bytes);
}

/* Without a slot each call takes the slow path: with so little memory that there is none for the
 * slot either, that is what a user has. */
static void attach(struct instance *instance) {
    instance->slot = larder_slot_none;
    if (instance->policy.kind->variant == 0)
        return;
    larder_port_thread_slot = larder_slot_none;
    struct larder_slot *slot = larder_slot_attach(instance->larder, 0);
    instance->slot = slot ? slot : larder_slot_none;
}

void instance_close(struct policy *policy) {
    struct instance *instance = instance_of(policy);
    if (instance->larder) {
        instance_enter(policy);
        larder_slot_detach(instance->larder, instance->slot);
        larder_port_thread_slot = larder_slot_none;
        larder_fini(instance->larder);
    }
    space_give(instance->space, instance->space_bytes + SPACE_ALIGN);
    space_give(instance->storage, instance->storage_bytes);
    free(instance);
}

struct policy *instance_open(const struct policy_kind *kind, uint64_t memory_bytes,
                             char what[REPLAY_WHAT_LENGTH]) {
    struct instance *instance = calloc(1, sizeof *instance);
    if (!instance) {
        (void)snprintf(what, REPLAY_WHAT_LENGTH, "no memory");
        return NULL;
    }
    instance->policy.kind = kind;
    enum larder_status status = LARDER_NO_MEMORY;
    if (take_space(instance, memory_bytes))
        status =
            kind->variant == 0 ? start_with_lead(instance) : start(instance, instance->given_bytes);
    if (status == LARDER_OK) {
        attach(instance);
        return &instance->policy;
    }
    (void)snprintf(what, REPLAY_WHAT_LENGTH, "%s cannot begin: %s", kind->title,
                   larder_status_text(status));
    instance_close(&instance->policy);
    return NULL;
}

void instance_enter(struct policy *policy) {
    larder_port_thread_slot = instance_of(policy)->slot;
}

/* ---- Growth ---------------------------------------------------------------------------------- */

bool instance_grow(struct instance *instance, size_t align_bytes, size_t bytes) {
    const size_t given = instance->given_bytes, left = instance->space_bytes - given;
    const size_t gap = -given & (align_bytes - 1);
    if (!instance->may_grow || gap > left || bytes > left - gap || gap + bytes == 0)
        return false;
    const uint64_t address = (uint64_t)(uintptr_t)instance->memory + given;
    if (larder_frames_donate(instance->larder, address, gap + bytes) != LARDER_OK)
        return false;
    instance->given_bytes = given + gap + bytes;
    return true;
}

/* ---- Figures --------------------------------------------------------------------------------- */

uint64_t instance_footprint(const struct policy *policy) {
    return ((const struct instance *)policy)->given_bytes;
}

struct larder *instance_core(const struct policy *policy) {
    return ((const struct instance *)policy)->larder;
}

static void figures_orders(struct larder *larder, struct policy_figures *figures) {
    struct larder_zone_stats zone;
    figures->order_count = REPLAY_ORDERS;
    if (!larder_zone_stats(larder, 0, &zone))
        return;
    for (unsigned order = 0; order < REPLAY_ORDERS; order++) {
        figures->free_blocks[order] = zone.free_blocks[order];
        figures->free_pieces += zone.free_blocks[order];
        figures->index_permille[order] = larder_fragmentation_index(&zone, order);
    }
}

void instance_figures(struct policy *policy, struct policy_figures *figures) {
    struct instance *instance = instance_of(policy);
    struct larder_frames_stats frames;
    larder_frames_stats(instance->larder, &frames);
    figures->footprint_bytes = instance->given_bytes;
    figures->free_bytes = frames.free * LARDER_FRAME_BYTES;
    figures->metadata_bytes = sizeof *instance->storage + frames.map_bytes + instance->lead_bytes;
    figures->largest_free_bytes = frames.largest_free_order == UINT64_MAX
                                      ? 0
                                      : LARDER_FRAME_BYTES << frames.largest_free_order;
    figures_orders(instance->larder, figures);
}
