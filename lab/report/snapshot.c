/* snapshot.c: see snapshot.h. Reading and looking at one; its numbers; its caches and call sites.
 */
#include "snapshot.h"

#include "live/account.h"
#include "live/control.h"
#include "say.h"
#include "trace/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX ((uint64_t)1 << 30) /* 4 TiB; more is no snapshot of ours */

/* ---- one file -------------------------------------------------------------------------------- */

bool snapshot_is(const char *path) {
    FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "re");
    int letter = file ? getc(file) : EOF;
    while (letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r')
        letter = getc(file);
    if (file)
        (void)fclose(file);
    return letter == '{';
}

/* What each place of a block is: docs/control.md. */
static uint64_t number_at(const json_t *row, size_t place) {
    const json_int_t value = json_integer_value(json_array_get(row, place));
    return value > 0 ? (uint64_t)value : 0;
}

static bool kind_of(const char *word, enum snapshot_kind *kind) {
    static const char *const words[] = {"free", "bin", "slab", "run", "reserved"};
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], word) == 0) {
            *kind = (enum snapshot_kind)i;
            return true;
        }
    }
    return false;
}

bool snapshot_block(const struct snapshot *snapshot, size_t i, struct snapshot_block *block) {
    const json_t *frames = json_object_get(snapshot->json, "frames");
    const json_t *row = json_array_get(json_object_get(frames, "blocks"), i);
    *block = (struct snapshot_block){
        .first = number_at(row, 0), .frames = number_at(row, 1), .resident = number_at(row, 3)};
    if (!kind_of(json_string_value(json_array_get(row, 2)), &block->kind))
        return false;
    if (block->kind == SNAPSHOT_SLAB) {
        block->cache = (uint32_t)number_at(row, 4);
        block->slots = number_at(row, 5);
        block->taken = number_at(row, 6);
    } else if (block->kind == SNAPSHOT_RUN) {
        block->site = json_string_value(json_array_get(row, 4));
    }
    return block->frames > 0 && block->frames <= FRAMES_MAX && block->resident <= block->frames &&
           block->taken <= block->slots && block->slots <= FRAMES_MAX;
}

/* Blocks lie one behind the other and are all frames there are. */
static bool are_whole(const struct snapshot *snapshot) {
    const json_t *frames = json_object_get(snapshot->json, "frames");
    struct snapshot_block block;
    uint64_t end = 0;
    for (size_t i = 0; i < json_array_size(json_object_get(frames, "blocks")); i++) {
        if (!snapshot_block(snapshot, i, &block) || block.first != end)
            return false;
        end += block.frames;
    }
    return end > 0 && end <= FRAMES_MAX && end == control_number(frames, "frames");
}

static const char *trouble_of(const struct snapshot *snapshot) {
    const json_t *caches = json_object_get(snapshot->json, "caches");
    if (snapshot->process == 0 || !json_is_array(caches) ||
        !json_is_object(json_object_get(snapshot->json, "frames")))
        return "this is not what larder snapshot writes";
    if (snapshot->unix_ms == 0)
        return "it does not say when it was taken; larder snapshot writes that";
    return are_whole(snapshot) ? NULL : "its frames are damaged";
}

bool snapshot_open(struct snapshot *snapshot, const char *path) {
    json_error_t error;
    const char *trouble;
    *snapshot = (struct snapshot){.path = path, .json = json_load_file(path, 0, &error)};
    if (!snapshot->json) {
        say_error("%s: %s (line %d)", path, error.text, error.line);
        return false;
    }
    snapshot->unix_ms = control_number(snapshot->json, "time_unix_ms");
    snapshot->process = control_number(snapshot->json, "process");
    trouble = trouble_of(snapshot);
    if (!trouble)
        return true;
    say_error("%s: %s", path, trouble);
    snapshot_close(snapshot);
    return false;
}

void snapshot_close(struct snapshot *snapshot) {
    json_decref(snapshot->json);
    *snapshot = (struct snapshot){0};
}

/* ---- its numbers ----------------------------------------------------------------------------- */

struct heap_amounts snapshot_amounts(const struct snapshot *snapshot) {
    const json_t *json = snapshot->json;
    return (struct heap_amounts){
        .live = account_amount(json, "live", "now"),
        .cached = account_amount(json, "in_magazines", "now"),
        .in_slabs = account_amount(json, "in_slabs", "now"),
        .free_backed = account_amount(json, "free_backed", "now"),
        .metadata = account_amount(json, "metadata", "now"),
        .given_back = account_amount(json, "purged", "now"),
    };
}

uint64_t snapshot_resident(const struct snapshot *snapshot) {
    return account_amount(snapshot->json, "resident", "now");
}

/* The largest blocks that fit, aligned to their size as addresses are. */
static void add_free(struct larder_zone_stats *stats, uint64_t first, uint64_t frames) {
    stats->free += frames;
    while (frames > 0) {
        unsigned order = 0;
        while (order < LARDER_ORDER_MAX && (first >> order & 1) == 0 &&
               (UINT64_C(2) << order) <= frames)
            order++;
        stats->free_blocks[order]++;
        first += UINT64_C(1) << order;
        frames -= UINT64_C(1) << order;
    }
}

void snapshot_orders(const struct snapshot *snapshot, struct larder_zone_stats *stats) {
    const json_t *frames = json_object_get(snapshot->json, "frames");
    const char *base = json_string_value(json_object_get(frames, "base"));
    const uint64_t start = base ? strtoull(base, NULL, 16) / LARDER_FRAME_BYTES : 0;
    struct snapshot_block block;
    *stats = (struct larder_zone_stats){.name = "process"};
    for (size_t i = 0; snapshot_block(snapshot, i, &block); i++) {
        stats->usable += block.frames;
        if (block.kind == SNAPSHOT_FREE)
            add_free(stats, start + block.first, block.frames);
    }
}

/* ---- its caches ------------------------------------------------------------------------------ */

const struct moment_cache *snapshot_cache(const struct moment *moment, uint32_t id) {
    for (uint32_t i = 0; i < moment->cache_count; i++) {
        if (moment->cache[i].id == id)
            return &moment->cache[i];
    }
    return NULL;
}

/* The number that frames know a cache by; 0 iff no frame is its. */
static uint32_t id_of(const struct snapshot *snapshot, const char *name) {
    const char *id;
    json_t *value;
    json_object_foreach(json_object_get(json_object_get(snapshot->json, "frames"), "caches"), id,
                        value) {
        if (strcmp(json_string_value(value) ? json_string_value(value) : "", name) == 0)
            return (uint32_t)strtoul(id, NULL, 10);
    }
    return 0;
}

static struct moment_cache cache_of(const struct snapshot *snapshot, const json_t *cache) {
    const char *name = json_string_value(json_object_get(cache, "name"));
    struct moment_cache line = {
        .id = id_of(snapshot, name ? name : ""),
        .is_internal = json_is_true(json_object_get(cache, "is_internal")),
        .object_bytes = control_number(cache, "object_bytes"),
        .slab_bytes = control_number(cache, "slab_bytes"),
        .slabs = control_number(cache, "slabs"),
        .live = control_number(cache, "live"),
        .cached = control_number(cache, "in_magazines") + control_number(cache, "in_depot"),
    };
    (void)snprintf(line.name, sizeof line.name, "%s", name ? name : "?");
    return line;
}

/* Runs are one more line, with one slab. */
static struct moment_cache runs_of(const struct snapshot *snapshot) {
    struct moment_cache runs = {.name = "runs"};
    struct snapshot_block block;
    for (size_t i = 0; snapshot_block(snapshot, i, &block); i++) {
        if (block.kind == SNAPSHOT_RUN) {
            runs.live++;
            runs.slab_bytes += block.frames * LARDER_FRAME_BYTES;
        }
    }
    runs.slabs = runs.live > 0;
    return runs;
}

static void take_caches(const struct snapshot *snapshot, struct moment *moment) {
    const json_t *caches = json_object_get(snapshot->json, "caches");
    moment->cache = memory_zeroed(json_array_size(caches) + 1, sizeof *moment->cache);
    for (size_t i = 0; i < json_array_size(caches); i++) {
        const struct moment_cache line = cache_of(snapshot, json_array_get(caches, i));
        if (line.slabs > 0 && line.id > 0)
            moment->cache[moment->cache_count++] = line;
    }
    moment->cache[moment->cache_count++] = runs_of(snapshot);
}

void snapshot_take(const struct snapshot *snapshot, struct moment *moment,
                   struct snapshot_sites *sites) {
    *moment = (struct moment){.is_live = true, .amounts = snapshot_amounts(snapshot)};
    take_caches(snapshot, moment);
    snapshot_take_cells(snapshot, moment, sites);
    snapshot_take_pins(snapshot, moment);
}

/* ---- its call sites -------------------------------------------------------------------------- */

uint32_t snapshot_site(struct snapshot_sites *sites, const char *address) {
    const uint64_t key = strtoull(address, NULL, 16);
    const struct key_map_entry *entry = key_map_find(&sites->numbers, key);
    if (entry)
        return entry->value;
    sites->site = memory_reserve(sites->site, &sites->room, sites->count + 1, sizeof *sites->site);
    sites->site[sites->count++] = (struct snapshot_site){.address = key};
    key_map_put(&sites->numbers, key, (uint32_t)sites->count);
    return (uint32_t)sites->count;
}

void snapshot_count_sites(const struct snapshot *snapshot, struct snapshot_sites *sites,
                          bool is_peak, bool is_end) {
    const json_t *list = json_object_get(json_object_get(snapshot->json, "leaks"), "sites"), *one;
    size_t i;
    json_array_foreach(list, i, one) {
        const char *address = json_string_value(json_object_get(one, "site"));
        if (!address)
            continue;
        const uint32_t number = snapshot_site(sites, address); /* may move them */
        struct snapshot_site *site = &sites->site[number - 1];
        site->place = one;
        if (is_peak) {
            site->peak_bytes = control_number(one, "bytes");
            site->peak_blocks = control_number(one, "count");
        }
        if (is_end) {
            site->end_bytes = control_number(one, "bytes");
            site->end_blocks = control_number(one, "count");
        }
    }
}

void snapshot_sites_close(struct snapshot_sites *sites) {
    key_map_free(&sites->numbers);
    free(sites->site);
    *sites = (struct snapshot_sites){0};
}
