/* object_debug.c: painting and checking. See object_debug.h for the picture. */
#include "object_debug.h"

#include "larder/port.h"
#include "larder/stats.h"

#define RED_FREE 0xbbu
#define RED_TAKEN 0xccu
#define POISON_FREE 0x6bu
#define POISON_END 0xa5u
#define POISON_FRESH 0x5au

static unsigned char *slot_start(const struct object_debug *debug, uint32_t slot) {
    return debug->slab->base + (size_t)slot * debug->geometry->stride_bytes;
}

static unsigned char *object_of(const struct object_debug *debug, uint32_t slot) {
    return slot_start(debug, slot) + debug->geometry->offset_bytes;
}

static size_t bytes_behind(const struct slab_geometry *geometry) {
    return geometry->stride_bytes - geometry->offset_bytes - geometry->object_bytes;
}

static void paint_red_zones(const struct object_debug *debug, uint32_t slot, unsigned char value) {
    const struct slab_geometry *geometry = debug->geometry;
    if ((debug->flags & LARDER_DEBUG_RED_ZONE) != 0) {
        __builtin_memset(slot_start(debug, slot), value, geometry->offset_bytes);
        __builtin_memset(object_of(debug, slot) + geometry->object_bytes, value,
                         bytes_behind(geometry));
    }
}

static void poison(const struct object_debug *debug, uint32_t slot) {
    unsigned char *object = object_of(debug, slot);
    size_t last = debug->geometry->object_bytes - 1;
    if ((debug->flags & LARDER_DEBUG_POISON) != 0) {
        __builtin_memset(object, POISON_FREE, last);
        object[last] = POISON_END;
    }
}

void object_debug_paint(const struct object_debug *debug) {
    if (debug->flags == 0) {
        return;
    }
    for (uint32_t slot = debug->geometry->first_slot; slot < debug->geometry->slots; slot++) {
        paint_red_zones(debug, slot, RED_FREE);
        poison(debug, slot);
    }
}

static void describe(const struct object_debug *debug, uint32_t slot, struct larder_fatal *fatal) {
    const unsigned char *object = object_of(debug, slot);
    fatal->owner = debug->owner;
    fatal->object = object;
    fatal->object_bytes = debug->geometry->object_bytes;
    if (debug->slab->track != NULL) {
        const struct slab_track *track = &debug->slab->track[slot];
        fatal->alloc_site = track->site[TRACK_ALLOC];
        fatal->free_site = track->site[TRACK_FREE];
        fatal->alloc_ms = track->ms[TRACK_ALLOC];
        fatal->free_ms = track->ms[TRACK_FREE];
        fatal->alloc_slot = track->slot[TRACK_ALLOC];
        fatal->free_slot = track->slot[TRACK_FREE];
    }
}

/* True iff `count` bytes hold `value`; otherwise the first that does not goes into the report. */
static bool holds(const unsigned char *bytes, size_t count, unsigned char value,
                  struct larder_fatal *fatal) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != value) {
            fatal->pointer = bytes + i;
            fatal->expected = value;
            fatal->found = bytes[i];
            return false;
        }
    }
    return true;
}

static bool red_zones_hold(const struct object_debug *debug, uint32_t slot, unsigned char value,
                           struct larder_fatal *fatal) {
    const struct slab_geometry *geometry = debug->geometry;
    fatal->kind = LARDER_FATAL_RED_ZONE;
    fatal->detail = "left red zone";
    if (!holds(slot_start(debug, slot), geometry->offset_bytes, value, fatal)) {
        return false;
    }
    fatal->detail = "right red zone";
    return holds(object_of(debug, slot) + geometry->object_bytes, bytes_behind(geometry), value,
                 fatal);
}

static bool poison_holds(const struct object_debug *debug, uint32_t slot,
                         struct larder_fatal *fatal) {
    const unsigned char *object = object_of(debug, slot);
    size_t last = debug->geometry->object_bytes - 1;
    fatal->kind = LARDER_FATAL_POISON;
    fatal->detail = "poison";
    return holds(object, last, POISON_FREE, fatal) && holds(object + last, 1, POISON_END, fatal);
}

bool object_debug_check(const struct object_debug *debug, uint32_t slot, bool is_free,
                        struct larder_fatal *fatal) {
    bool is_sound = true;
    *fatal = (struct larder_fatal){.owner = debug->owner};
    if ((debug->flags & LARDER_DEBUG_RED_ZONE) != 0) {
        is_sound = red_zones_hold(debug, slot, is_free ? RED_FREE : RED_TAKEN, fatal);
    }
    if (is_sound && is_free && (debug->flags & LARDER_DEBUG_POISON) != 0) {
        is_sound = poison_holds(debug, slot, fatal);
    }
    if (!is_sound) {
        describe(debug, slot, fatal);
        fatal->offset_bytes = (size_t)((uintptr_t)fatal->pointer - (uintptr_t)fatal->object);
    }
    return is_sound;
}

static void check_or_die(const struct object_debug *debug, uint32_t slot, bool is_free) {
    struct larder_fatal fatal;
    if (!object_debug_check(debug, slot, is_free, &fatal)) {
        larder_port_fatal(&fatal);
    }
}

static void record(const struct object_debug *debug, uint32_t slot, const struct slab_track *event,
                   enum track_event which) {
    if (debug->slab->track != NULL) {
        struct slab_track *track = &debug->slab->track[slot];
        track->site[which] = event->site[which];
        track->ms[which] = event->ms[which];
        track->slot[which] = event->slot[which];
    }
}

void object_debug_take(const struct object_debug *debug, uint32_t slot,
                       const struct slab_track *event) {
    check_or_die(debug, slot, true);
    paint_red_zones(debug, slot, RED_TAKEN);
    if ((debug->flags & LARDER_DEBUG_POISON) != 0) {
        __builtin_memset(object_of(debug, slot), POISON_FRESH, debug->geometry->object_bytes);
    }
    record(debug, slot, event, TRACK_ALLOC);
}

void object_debug_give(const struct object_debug *debug, uint32_t slot,
                       const struct slab_track *event) {
    check_or_die(debug, slot, false);
    paint_red_zones(debug, slot, RED_FREE);
    poison(debug, slot);
    record(debug, slot, event, TRACK_FREE);
}
