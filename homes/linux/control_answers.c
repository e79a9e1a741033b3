/* control_answers.c: what each request at the control socket is answered. See docs/control.md.
 *
 * Nothing stands still meanwhile: each part is true for the moment it was read.
 */
#include "control.h"

#include "larder/larder.h"
#include "larder/port.h"
#include "larder/process.h"

#include "family.h"
#include "json.h"
#include "output.h"
#include "process.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const kinds[] = {
    [LARDER_WHAT_FOREIGN] = "foreign",   [LARDER_WHAT_HOLE] = "hole",
    [LARDER_WHAT_RESERVED] = "reserved", [LARDER_WHAT_FREE] = "free",
    [LARDER_WHAT_BIN] = "bin",           [LARDER_WHAT_RUN] = "run",
    [LARDER_WHAT_OBJECT] = "slab",
};

static void next_number(const struct larder_sink *sink, const char *name, uint64_t value) {
    text_put(sink, ",");
    json_number(sink, name, value);
}

static void next_address(const struct larder_sink *sink, const char *name, uintptr_t value) {
    text_put(sink, ",");
    json_address(sink, name, value);
}

static void head(const struct larder_sink *sink) {
    text_put(sink, "{\"larder\":\"" LARDER_VERSION "\"");
    next_number(sink, "process", (uint64_t)getpid());
}

/* ---- stats, caches, trim ---- */

static void answer_stats(const char *words, const struct larder_sink *sink) {
    (void)words;
    larder_process_write_json(sink);
}

static void answer_caches(const char *words, const struct larder_sink *sink) {
    (void)words;
    head(sink);
    text_put(sink, ",\"caches\":");
    json_caches(sink);
    text_put(sink, "}\n");
}

static uint64_t resident_bytes(void) {
    struct larder_process_stats stats;
    larder_process_stats(&stats);
    return stats.resident.now;
}

static void answer_trim(const char *words, const struct larder_sink *sink) {
    const uint64_t before = resident_bytes();
    (void)words;
    (void)malloc_trim(0);
    head(sink);
    next_number(sink, "resident_before", before);
    next_number(sink, "resident_after", resident_bytes());
    text_put(sink, "}\n");
}

/* ---- frames ---- */

#define WINDOW_PAGES 512u

/* Which pages are resident, a window of them at a time. */
struct residency {
    uintptr_t first, end; /* of the window, addresses */
    unsigned char pages[WINDOW_PAGES];
};

static bool is_resident(struct residency *window, uintptr_t address) {
    const size_t page_bytes = (size_t)getpagesize();
    if (address < window->first || address >= window->end) {
        window->first = address & ~(page_bytes - 1);
        window->end = window->first + WINDOW_PAGES * page_bytes;
        memset(window->pages, 0, sizeof window->pages);
        (void)mincore((void *)window->first, window->end - window->first, window->pages);
    }
    return (window->pages[(address - window->first) / page_bytes] & 1) != 0;
}

static uint64_t count_resident(struct residency *window, const void *start, uint64_t frames) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < frames; i++)
        count += is_resident(window, (uintptr_t)start + i * LARDER_FRAME_BYTES);
    return count;
}

/* [first, frames, "kind", resident, …] */
static void write_block(const struct larder_sink *sink, const struct larder_block *block,
                        struct residency *window) {
    const uint64_t numbers[] = {block->cache_id, block->slots, block->taken, block->in_quarantine};
    text_put(sink, "\n[");
    text_decimal(sink, ((uintptr_t)block->start - (uintptr_t)process_base()) / LARDER_FRAME_BYTES,
                 0);
    text_put(sink, ",");
    text_decimal(sink, block->frames, 0);
    text_put(sink, ",\"");
    text_put(sink, kinds[block->kind]);
    text_put(sink, "\",");
    text_decimal(sink, count_resident(window, block->start, block->frames), 0);
    for (unsigned i = 0; block->kind == LARDER_WHAT_OBJECT && i < ARRAY_LENGTH(numbers); i++) {
        text_put(sink, ",");
        text_decimal(sink, numbers[i], 0);
    }
    if (block->alloc_site != 0 && block->kind == LARDER_WHAT_RUN) {
        text_put(sink, ",\"0x");
        text_hex(sink, block->alloc_site, 1);
        text_put(sink, "\"");
    }
    text_put(sink, "]");
}

static bool is_more_of(const struct larder_block *stretch, const struct larder_block *block) {
    return stretch->kind == block->kind &&
           (block->kind == LARDER_WHAT_FREE || block->kind == LARDER_WHAT_BIN);
}

/* Free frames side by side are one stretch. */
static void write_blocks(const struct larder_sink *sink) {
    const char *const start = process_base(), *const end = start + process_usable_bytes();
    struct larder_block stretch = {.frames = 0}, block;
    struct residency window = {0, 0, {0}};
    const char *separator = "";
    for (const char *at = start; at < end;) {
        larder_block_at(PROCESS, at, &block);
        if ((const char *)block.start != at) { /* it changed while we looked */
            block = (struct larder_block){.kind = LARDER_WHAT_BIN, .start = at, .frames = 1};
        }
        at += block.frames * LARDER_FRAME_BYTES;
        if (is_more_of(&stretch, &block)) {
            stretch.frames += block.frames;
            continue;
        }
        if (stretch.frames != 0) {
            text_put(sink, separator);
            separator = ",";
            write_block(sink, &stretch, &window);
        }
        stretch = block;
    }
    text_put(sink, separator);
    write_block(sink, &stretch, &window);
}

struct names {
    const struct larder_sink *sink;
    const char *separator;
};

static void write_name(struct larder_cache *cache, void *context) {
    struct names *names = context;
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    if (stats.slabs_made == 0)
        return;
    text_put(names->sink, names->separator);
    text_put(names->sink, "\"");
    text_decimal(names->sink, stats.id, 0);
    text_put(names->sink, "\":");
    json_string(names->sink, stats.name);
    names->separator = ",";
}

static void answer_frames(const char *words, const struct larder_sink *sink) {
    struct names names = {sink, ""};
    (void)words;
    head(sink);
    next_address(sink, "base", (uintptr_t)process_base());
    next_number(sink, "frame_bytes", LARDER_FRAME_BYTES);
    next_number(sink, "page_bytes", (uint64_t)getpagesize());
    next_number(sink, "frames", process_usable_bytes() / LARDER_FRAME_BYTES);
    text_put(sink, ",\"blocks\":[");
    write_blocks(sink);
    text_put(sink, "],\n\"caches\":{");
    larder_caches_each(PROCESS, write_name, &names);
    text_put(sink, "}}\n");
}

/* ---- whatis ---- */

/* Hexadecimal, with or without 0x. False iff it is no number. */
static bool parse_address(const char *text, uintptr_t *address) {
    static const char digits[] = "0123456789abcdef";
    if (text[0] == '0' && (text[1] | 0x20) == 'x')
        text += 2;
    const char *const start = text;
    for (*address = 0; *text; text++) {
        const char *digit = strchr(digits, *text >= 'A' && *text <= 'F' ? *text | 0x20 : *text);
        if (!digit || text - start >= 16)
            return false;
        *address = *address << 4 | (uintptr_t)(digit - digits);
    }
    return text > start;
}

static void next_event(const struct larder_sink *sink, const char *site_name, uintptr_t site,
                       const char *age_name, uint64_t ms) {
    if (site != 0)
        next_address(sink, site_name, site);
    if (ms != 0)
        next_number(sink, age_name, larder_port_clock_ms() - ms);
}

static void write_object(const struct larder_sink *sink, const struct larder_block *block,
                         uintptr_t address) {
    text_put(sink, ",\"cache\":");
    json_string(sink, block->cache_name);
    next_number(sink, "slots", block->slots);
    next_number(sink, "taken", block->taken);
    if (!block->object)
        return;
    next_address(sink, "object", (uintptr_t)block->object);
    next_number(sink, "object_bytes", block->object_bytes);
    text_put(sink, ",\"offset\":");
    if (address < (uintptr_t)block->object) /* in the red zone before it */
        text_put(sink, "-");
    text_decimal(sink,
                 address < (uintptr_t)block->object ? (uintptr_t)block->object - address
                                                    : address - (uintptr_t)block->object,
                 0);
    text_put(sink, block->is_taken ? ",\"state\":\"taken\"" : ",\"state\":\"free\"");
    next_event(sink, "allocated_by", block->alloc_site, "allocated_ms_ago", block->alloc_ms);
    next_event(sink, "freed_by", block->free_site, "freed_ms_ago", block->free_ms);
}

static void answer_whatis(const char *words, const struct larder_sink *sink) {
    uintptr_t address;
    struct larder_block block;
    if (!parse_address(words, &address)) {
        text_put(sink, "{\"error\":\"whatis ADDRESS, in hexadecimal\"}\n");
        return;
    }
    larder_block_at(PROCESS, (const void *)address, &block);
    head(sink);
    next_address(sink, "address", address);
    text_put(sink, ",\"kind\":\"");
    text_put(sink, process_owns((const void *)address) ? kinds[block.kind] : "foreign");
    text_put(sink, "\"");
    if (process_owns((const void *)address)) {
        next_address(sink, "start", (uintptr_t)block.start);
        next_number(sink, "size_bytes", block.frames * LARDER_FRAME_BYTES);
        if (block.kind == LARDER_WHAT_OBJECT)
            write_object(sink, &block, address);
        else
            next_event(sink, "allocated_by", block.alloc_site, "allocated_ms_ago", 0);
    }
    text_put(sink, "}\n");
}

/* ---- leaks ---- */

#define SITES_MAX 1024u

struct site {
    uintptr_t site;
    uint64_t count, bytes, first_ms, last_ms;
};

/* Open addressing; what finds no place is counted together. */
struct sites {
    struct site row[SITES_MAX];
    struct site other;
};

static struct site *site_of(struct sites *sites, uintptr_t site) {
    const unsigned hash = (unsigned)(site * UINT64_C(0x9e3779b97f4a7c15) >> 54);
    for (unsigned i = 0; i < SITES_MAX; i++) {
        struct site *row = &sites->row[(hash + i) % SITES_MAX];
        if (row->count == 0 || row->site == site)
            return row;
    }
    return &sites->other;
}

static void add_live(const struct larder_live *live, void *context) {
    struct site *row = site_of(context, live->alloc_site);
    row->site = live->alloc_site;
    row->count++;
    row->bytes += live->size_bytes;
    if (live->alloc_ms != 0) {
        row->first_ms =
            row->first_ms == 0 || live->alloc_ms < row->first_ms ? live->alloc_ms : row->first_ms;
        row->last_ms = live->alloc_ms > row->last_ms ? live->alloc_ms : row->last_ms;
    }
}

static void write_site(const struct larder_sink *sink, const struct site *row, const char *before) {
    const uint64_t now_ms = larder_port_clock_ms();
    text_put(sink, before);
    text_put(sink, "{");
    json_address(sink, "site", row->site);
    next_number(sink, "count", row->count);
    next_number(sink, "bytes", row->bytes);
    if (row->first_ms != 0) {
        next_number(sink, "oldest_ms", now_ms - row->first_ms);
        next_number(sink, "youngest_ms", now_ms - row->last_ms);
    }
    text_put(sink, "}");
}

static void count_tracked(struct larder_cache *cache, void *context) {
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    *(unsigned *)context += (stats.debug & LARDER_DEBUG_OWNER) != 0;
}

/* The table is 40 KiB of the thread's 128 KiB of stack. */
static void answer_leaks(const char *words, const struct larder_sink *sink) {
    struct sites sites;
    unsigned tracked = 0;
    const char *before = "\n";
    (void)words;
    memset(&sites, 0, sizeof sites);
    larder_caches_each(PROCESS, count_tracked, &tracked);
    larder_live_each(PROCESS, add_live, &sites);
    head(sink);
    next_number(sink, "tracked_caches", tracked);
    text_put(sink, ",\"sites\":[");
    for (unsigned i = 0; i < SITES_MAX; i++) {
        if (sites.row[i].count != 0) {
            write_site(sink, &sites.row[i], before);
            before = ",\n";
        }
    }
    text_put(sink, "]");
    if (sites.other.count != 0)
        write_site(sink, &sites.other, ",\"other\":");
    text_put(sink, "}\n");
}

/* ---- all ---- */

static const struct {
    const char *word;
    void (*answer)(const char *words, const struct larder_sink *sink);
} requests[] = {
    {"stats", answer_stats},   {"caches", answer_caches}, {"frames", answer_frames},
    {"whatis", answer_whatis}, {"leaks", answer_leaks},   {"trim", answer_trim},
};

void control_answer(const char *request, const struct larder_sink *sink) {
    const size_t length = strcspn(request, " \r");
    const char *words = request + length + strspn(request + length, " \r");
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        if (strlen(requests[i].word) == length && strncmp(requests[i].word, request, length) == 0) {
            requests[i].answer(words, sink);
            return;
        }
    }
    text_put(sink, "{\"error\":\"unknown request: stats, caches, frames, whatis ADDRESS, leaks, "
                   "trim\"}\n");
}
