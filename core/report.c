/* report.c: the looks inside as text, in the forms people know from /proc and from slub's reports.
 */
#include "frames.h"
#include "text.h"

/* ---- buddyinfo, fragmentation ---- */

static void each_zone(struct larder *larder, const struct larder_sink *sink,
                      void (*line)(const struct larder_zone_stats *stats,
                                   const struct larder_sink *sink)) {
    struct larder_zone_stats stats;
    for (unsigned i = 0; larder_zone_stats(larder, i, &stats); i++) {
        line(&stats, sink);
    }
}

static void order_heading(const struct larder_sink *sink, unsigned width) {
    text_put(sink, "order         ");
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        text_decimal(sink, order, width);
    }
    text_put(sink, "\n");
}

static void zone_heading(const struct larder_zone_stats *stats, const struct larder_sink *sink) {
    text_put(sink, "zone ");
    text_put_padded(sink, stats->name, 9);
}

static void buddyinfo_line(const struct larder_zone_stats *stats, const struct larder_sink *sink) {
    zone_heading(stats, sink);
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        text_decimal(sink, stats->free_blocks[order], 6);
    }
    text_put(sink, "\n");
}

void larder_buddyinfo(struct larder *larder, const struct larder_sink *sink) {
    order_heading(sink, 6);
    each_zone(larder, sink, buddyinfo_line);
}

static void fragmentation_line(const struct larder_zone_stats *stats,
                               const struct larder_sink *sink) {
    zone_heading(stats, sink);
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        text_thousandths(sink, larder_fragmentation_index(stats, order), 7);
    }
    text_put(sink, "\n");
}

void larder_fragmentation(struct larder *larder, const struct larder_sink *sink) {
    text_put(sink, "external fragmentation index: -1 would succeed, towards 0 lack of memory, "
                   "towards 1 fragmentation\n");
    order_heading(sink, 7);
    each_zone(larder, sink, fragmentation_line);
}

/* ---- slabinfo ---- */

static void debug_letters(uint32_t flags, char *text) {
    for (unsigned i = 0; DEBUG_LETTERS[i] != '\0'; i++) {
        if ((flags >> i & 1) != 0) {
            *text++ = DEBUG_LETTERS[i];
        }
    }
    *text = '\0';
}

static void slabinfo_line(struct larder_cache *cache, void *context) {
    const struct larder_sink *sink = context;
    struct larder_cache_stats stats;
    char letters[8];
    larder_cache_stats(cache, &stats);
    if (stats.slabs == 0 && stats.slabs_made == 0) {
        return;
    }
    const uint64_t numbers[] = {stats.live,
                                stats.capacity,
                                stats.object_bytes,
                                stats.slab_objects,
                                stats.slab_bytes >> FRAME_SHIFT,
                                stats.slabs,
                                stats.slabs_partial,
                                stats.slabs_empty,
                                stats.in_magazines,
                                stats.in_depot};
    debug_letters(stats.debug, letters);
    text_put_padded(sink, stats.name, 18);
    for (unsigned i = 0; i < ARRAY_LENGTH(numbers); i++) {
        text_decimal(sink, numbers[i], 10);
    }
    text_put(sink, letters[0] != '\0' ? " " : "");
    text_put(sink, letters);
    text_put(sink, "\n");
}

void larder_slabinfo(struct larder *larder, const struct larder_sink *sink) {
    text_put(sink, "# name              active_objs  num_objs   objsize  objs/slab pages/slab"
                   "     slabs   partial     empty magazines     depot debug\n");
    larder_caches_each(larder, slabinfo_line, (void *)(uintptr_t)sink);
}

/* ---- page_owner ---- */

#define OWNERS_MAX 64u

struct owner_row {
    uintptr_t site;
    uint64_t frames_each, blocks;
};

struct owner_table {
    struct owner_row row[OWNERS_MAX];
    unsigned count;
    uint64_t other_blocks, other_frames; /* of rows beyond the table */
};

static void count_block(struct owner_table *table, uintptr_t site, uint64_t frames) {
    for (unsigned i = 0; i < table->count; i++) {
        if (table->row[i].site == site && table->row[i].frames_each == frames) {
            table->row[i].blocks++;
            return;
        }
    }
    if (table->count < OWNERS_MAX) {
        table->row[table->count++] = (struct owner_row){site, frames, 1};
    } else {
        table->other_blocks++;
        table->other_frames += frames;
    }
}

static void count_owners_in(struct larder *larder, uint64_t index, uint64_t end,
                            struct owner_table *table) {
    while (index < end) {
        uint64_t length = frame_run_length(&larder->map, index);
        if (length > 0) {
            count_block(table, larder->map.record[index].site, length);
        }
        index += max_u64(length, 1);
    }
}

/* Only RAM is walked: holes may be terabytes. The table is copied, so donations may go on. */
static void count_owners(struct larder *larder, struct owner_table *table) {
    uint64_t first, end, base = larder->map.base_address;
    lock_acquire(&larder->registry);
    struct larder_ranges ranges = larder->map.ranges;
    lock_release(&larder->registry);
    for (uint64_t at = 0; range_next(&ranges, RAM_KINDS, at, &first, &end); at = end) {
        count_owners_in(larder, (first - base) >> FRAME_SHIFT, (end - base) >> FRAME_SHIFT, table);
    }
}

void larder_page_owner(struct larder *larder, const struct larder_sink *sink) {
    struct owner_table table = {.count = 0};
    count_owners(larder, &table);
    text_put(sink, "    blocks   frames each  allocated at\n");
    for (unsigned i = 0; i < table.count; i++) {
        text_decimal(sink, table.row[i].blocks, 10);
        text_decimal(sink, table.row[i].frames_each, 14);
        text_put(sink, "  ");
        if (table.row[i].site == 0) {
            text_put(sink, "(not tracked)\n");
        } else {
            text_put(sink, "0x");
            text_hex(sink, table.row[i].site, 1);
            text_put(sink, "\n");
        }
    }
    if (table.other_blocks > 0) {
        text_decimal(sink, table.other_blocks, 10);
        text_put(sink, " more blocks, frames in all:");
        text_decimal(sink, table.other_frames, 10);
        text_put(sink, "\n");
    }
}

/* ---- fatals ---- */

#define RULE "=============================================================================\n"
#define DUMP_BYTES_MAX 128u
#define DUMP_LINE 16u

static void pointer_line(const struct larder_sink *sink, const char *label, const void *pointer) {
    text_put(sink, label);
    text_put(sink, "0x");
    text_hex(sink, (uintptr_t)pointer, 16);
}

static void dump(const struct larder_sink *sink, const unsigned char *bytes, size_t count) {
    for (size_t at = 0; at < count && at < DUMP_BYTES_MAX; at += DUMP_LINE) {
        pointer_line(sink, "Object ", bytes + at);
        text_put(sink, ":");
        for (size_t i = at; i < at + DUMP_LINE && i < count; i++) {
            text_put(sink, " ");
            text_hex(sink, bytes[i], 2);
        }
        text_put(sink, "\n");
    }
}

static void event_line(const struct larder_sink *sink, const char *what, uintptr_t site,
                       uint64_t ms, unsigned slot) {
    if (site == 0) {
        return;
    }
    text_put(sink, "INFO: ");
    text_put(sink, what);
    text_put(sink, " in 0x");
    text_hex(sink, site, 1);
    text_put(sink, " at ");
    text_decimal(sink, ms, 0);
    text_put(sink, " ms, cpu ");
    text_decimal(sink, slot, 0);
    text_put(sink, "\n");
}

static void damage_line(const struct larder_sink *sink, const struct larder_fatal *fatal) {
    pointer_line(sink, "INFO: ", fatal->pointer);
    text_put(sink, " @offset=");
    bool is_before = fatal->offset_bytes > PTRDIFF_MAX;
    text_put(sink, is_before ? "-" : "");
    text_decimal(sink, is_before ? -fatal->offset_bytes : fatal->offset_bytes, 0);
    text_put(sink, ". First byte 0x");
    text_hex(sink, fatal->found, 1);
    text_put(sink, " instead of 0x");
    text_hex(sink, fatal->expected, 1);
    text_put(sink, "\n");
}

static void object_lines(const struct larder_sink *sink, const struct larder_fatal *fatal) {
    if (fatal->object == NULL) {
        return;
    }
    damage_line(sink, fatal);
    event_line(sink, "Allocated", fatal->alloc_site, fatal->alloc_ms, fatal->alloc_slot);
    event_line(sink, "Freed", fatal->free_site, fatal->free_ms, fatal->free_slot);
    pointer_line(sink, "INFO: Object ", fatal->object);
    text_put(sink, " size=");
    text_decimal(sink, fatal->object_bytes, 0);
    text_put(sink, "\n");
    dump(sink, fatal->object, fatal->object_bytes);
}

void larder_fatal_write(const struct larder_fatal *fatal, const struct larder_sink *sink) {
    text_put(sink, RULE "BUG ");
    text_put(sink, fatal->owner == NULL ? "larder" : fatal->owner);
    text_put(sink, ": ");
    text_put(sink, larder_fatal_text(fatal->kind));
    if (fatal->pointer != NULL) {
        pointer_line(sink, ": ", fatal->pointer);
    }
    if (fatal->detail != NULL) {
        text_put(sink, ": ");
        text_put(sink, fatal->detail);
    }
    if (fatal->file != NULL) {
        text_put(sink, " (");
        text_put(sink, fatal->file);
        text_put(sink, ":");
        text_decimal(sink, fatal->line, 0);
        text_put(sink, ")");
    }
    text_put(sink, "\n" RULE);
    object_lines(sink, fatal);
}
