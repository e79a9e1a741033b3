/* look.c: commands that ask and change nothing. */
#include "look.h"
#include "command.h"
#include "hold.h"
#include "picture.h"
#include "processes.h"

#include "lib/log_ring.h"

#include "larder/stats.h"

/* ---- map ------------------------------------------------------------------------------------- */

static void run_map(unsigned count, char **word) {
    uint64_t cell_bytes = 0;
    unsigned used;
    if (count == 2 && words_equal(word[1], "processes")) {
        processes_map(MAP_CELL_BYTES);
        return;
    }
    if (count > 1 && !command_size(count, word, 1, &cell_bytes, &used))
        return;
    if (count > 1 && (cell_bytes < LARDER_FRAME_BYTES || (cell_bytes & (cell_bytes - 1)) != 0)) {
        printf("A cell must be a power of two and at least 4K.\n");
        return;
    }
    picture_draw(cell_bytes, 0, false);
}

/* ---- buddies, frag: a row for each order, a column for each zone ------------------------------
 */

static struct larder_zone_stats zone_stats[LARDER_ZONES_MAX];

static unsigned read_zones(void) {
    unsigned zones = 0;
    while (zones < LARDER_ZONES_MAX && larder_zone_stats(kernel_larder, zones, &zone_stats[zones]))
        zones++;
    return zones;
}

static void zone_heading(unsigned zones) {
    printf("order      block");
    for (unsigned zone = 0; zone < zones; zone++)
        printf("  %10s", zone_stats[zone].name);
    printf("\n");
}

static void order_heading(unsigned order) {
    uint64_t kib = (LARDER_FRAME_BYTES << order) >> 10;
    if (kib < 1024)
        printf("%5u  %5lu KiB", order, kib);
    else
        printf("%5u  %5lu MiB", order, kib >> 10);
}

/* Linux's buddyinfo, turned by 90 degrees so that it fits any terminal. */
static void run_buddies(unsigned count, char **word) {
    unsigned zones = read_zones();
    (void)count, (void)word;
    zone_heading(zones);
    for (unsigned order = 0; order <= LARDER_ORDER_MAX; order++) {
        order_heading(order);
        for (unsigned zone = 0; zone < zones; zone++)
            printf("  %10lu", zone_stats[zone].free_blocks[order]);
        printf("\n");
    }
    printf("free KiB        ");
    for (unsigned zone = 0; zone < zones; zone++)
        printf("  %10lu", zone_stats[zone].free * (LARDER_FRAME_BYTES >> 10));
    printf("\n");
}

static void show_thousandths(int value) {
    unsigned size = (unsigned)(value < 0 ? -value : value);
    printf("      %s%u.%03u", value < 0 ? "-" : " ", size / 1000, size % 1000);
}

static void run_frag(unsigned count, char **word) {
    unsigned zones = read_zones();
    (void)count, (void)word;
    zone_heading(zones);
    for (unsigned order = 0; order <= LARDER_ORDER_MAX; order++) {
        order_heading(order);
        for (unsigned zone = 0; zone < zones; zone++)
            show_thousandths(larder_fragmentation_index(&zone_stats[zone], order));
        printf("\n");
    }
    printf("-1: there is such a block; towards 0: no memory; towards 1: it lies in pieces\n");
}

/* ---- caches ---------------------------------------------------------------------------------- */

static void show_cache(struct larder_cache *cache, void *context) {
    struct larder_cache_stats stats;
    unsigned *unused = context;
    larder_cache_stats(cache, &stats);
    if (stats.slabs_made == 0) {
        ++*unused;
        return;
    }
    printf("%-20s %7zu %8lu %8lu %6lu %6lu %9lu %6lu\n", stats.name, stats.object_bytes, stats.live,
           stats.capacity, stats.slabs, stats.slabs_empty, stats.in_magazines, stats.in_depot);
}

static void run_caches(unsigned count, char **word) {
    unsigned unused = 0;
    (void)word;
    if (count > 1 && words_equal(word[1], "info")) {
        larder_slabinfo(kernel_larder, &shell_terminal.sink);
        return;
    }
    printf("cache                   size     live    slots  slabs  empty magazines  depot\n");
    larder_caches_each(kernel_larder, show_cache, &unused);
    printf("%u more have never been used\n", unused);
}

/* ---- owners ---------------------------------------------------------------------------------- */

/* Text of the core on its way to the terminal, a line at a time: after an address that is code
 * comes the name of its function. */
struct naming {
    char line[128];
    unsigned length;
};

static void name_site(struct naming *naming) {
    size_t offset;
    uint64_t value;
    naming->line[naming->length] = '\0';
    const char *word = strrchr(naming->line, ' ');
    bool is_site = word != NULL && words_number(word + 1, &value) && words_begins(word + 1, "0x");
    const char *name = is_site ? symbol_find(value, &offset) : NULL;
    if (name == NULL)
        printf("%s\n", naming->line);
    else
        printf("%s  %s+0x%zx\n", naming->line, name, offset);
    naming->length = 0;
}

static void write_naming(void *context, const char *text, size_t length) {
    struct naming *naming = context;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            name_site(naming);
        else if (naming->length < sizeof(naming->line) - 1)
            naming->line[naming->length++] = text[i];
    }
}

static void run_owners(unsigned count, char **word) {
    struct naming naming = {.length = 0};
    struct larder_sink sink = {write_naming, &naming};
    if (count == 1) {
        larder_page_owner(kernel_larder, &sink);
        return;
    }
    bool on = words_equal(word[1], "on");
    if (!on && !words_equal(word[1], "off")) {
        printf("It is \"owners on\" or \"owners off\", not \"%.40s\".\n", word[1]);
        return;
    }
    larder_debug_track_frames(kernel_larder, on);
    printf("Call sites of frames are %s from now on.\n", on ? "kept" : "not kept");
}

/* ---- memory ---------------------------------------------------------------------------------- */

static const char *kind_text(enum larder_range_kind kind) {
    switch (kind) {
    case LARDER_RANGE_USABLE:
        return "usable";
    case LARDER_RANGE_DONATED:
        return "start-up, given back";
    case LARDER_RANGE_RESERVED:
        return "reserved";
    case LARDER_RANGE_DEVICE:
    default:
        return "device";
    }
}

void look_ranges(void) {
    const struct larder_ranges *ranges = memory_ranges();
    for (unsigned i = 0; i < ranges->count; i++) {
        const struct larder_range *range = &ranges->range[i];
        printf("  0x%09lx .. 0x%09lx  %10lu KiB  %s\n", range->address,
               range->address + range->size_bytes, range->size_bytes >> 10, kind_text(range->kind));
    }
}

static void show_frames(const char *what, uint64_t frames) {
    printf("  %-22s %10lu frames  %10lu KiB\n", what, frames, frames * (LARDER_FRAME_BYTES >> 10));
}

static void run_memory(unsigned count, char **word) {
    struct larder_frames_stats stats;
    (void)count, (void)word;
    larder_frames_stats(kernel_larder, &stats);
    printf("What the board reported (%s) and start-up took:\n", machine_memory_source());
    look_ranges();
    show_frames("usable", stats.usable);
    show_frames("free", stats.free);
    show_frames("in CPU bins", stats.in_bins);
    show_frames("allocated", stats.allocated);
    show_frames("  of them metadata", stats.metadata);
    show_frames("least free ever", stats.free_min);
    printf("  %-22s %10lu KiB\n", "frame map", stats.map_bytes >> 10);
}

/* ---- whatis ---------------------------------------------------------------------------------- */

/* A pointer, a physical address, or #NUMBER of something taken at the prompt. */
static bool parse_pointer(const char *text, const void **pointer) {
    uint64_t value, first, end;
    if (text[0] == '#') {
        const struct hold *hold = words_number(text + 1, &value) ? hold_get(value) : NULL;
        if (hold == NULL)
            printf("Nothing has the number \"%.20s\"; \"list\" shows what has.\n", text + 1);
        *pointer = hold == NULL ? NULL : hold->pointer;
        return hold != NULL;
    }
    if (!words_number(text, &value)) {
        printf("An address is a number (0x80000), or #1 for number 1 of \"list\", not "
               "\"%.40s\".\n",
               text);
        return false;
    }
    larder_map_span(kernel_larder, &first, &end);
    bool physical = value >= first && value < end;
    *pointer = physical ? larder_frames_pointer(kernel_larder, value) : (const void *)value;
    return true;
}

static const char *what_text(enum larder_what_kind kind) {
    switch (kind) {
    case LARDER_WHAT_FOREIGN:
        return "not memory of this machine's RAM";
    case LARDER_WHAT_HOLE:
        return "no RAM there";
    case LARDER_WHAT_RESERVED:
        return "RAM that is never given out";
    case LARDER_WHAT_FREE:
        return "free, in the buddies";
    case LARDER_WHAT_BIN:
        return "free, in a CPU's bin";
    case LARDER_WHAT_RUN:
        return "an allocated block or run of frames";
    case LARDER_WHAT_OBJECT:
    default:
        return "a place in a slab";
    }
}

static void show_site(uintptr_t site) {
    size_t offset;
    const char *name = site == 0 ? NULL : symbol_find(site, &offset);
    if (name != NULL)
        printf("  allocated from %s+0x%zx\n", name, offset);
}

static void show_what(const struct larder_what *what) {
    printf("  %s\n", what_text(what->kind));
    if (what->start != NULL && what->size_bytes > 0)
        printf("  begins at %p, %zu bytes\n", what->start, what->size_bytes);
    if (what->kind == LARDER_WHAT_OBJECT && what->cache != NULL)
        printf("  of cache \"%s\", %s\n", larder_cache_name(what->cache),
               what->taken ? "taken: live or in a magazine" : "free");
    show_site(what->alloc_site);
}

static void run_whatis(unsigned count, char **word) {
    const void *pointer;
    struct larder_what what;
    (void)count;
    if (!parse_pointer(word[1], &pointer))
        return;
    larder_whatis(kernel_larder, pointer, &what);
    if (what.kind == LARDER_WHAT_FOREIGN)
        printf("%p\n", pointer);
    else
        printf("%p  address 0x%lx  frame %lu\n", pointer,
               larder_frames_address(kernel_larder, pointer),
               larder_frames_address(kernel_larder, pointer) >> LARDER_FRAME_SHIFT);
    show_what(&what);
}

/* ---- The machine ----------------------------------------------------------------------------- */

static void run_cpus(unsigned count, char **word) {
    struct cpu_info info;
    (void)count, (void)word;
    printf("cpu  core         affinity  entered  start          ticks  interrupts  calls\n");
    for (unsigned cpu = 0; cpu_info(cpu, &info); cpu++)
        printf("%3u  %-11s  %8lx  EL%u      %-10s %9lu  %10lu  %5lu\n", cpu, info.core, info.mpidr,
               info.entry_level, info.start, info.ticks, info.interrupts, info.calls);
}

static void run_uptime(unsigned count, char **word) {
    uint64_t us = clock_us();
    (void)count, (void)word;
    printf("%s, up for %lu.%03lu s\n", machine_name(), us / 1000000, us / 1000 % 1000);
}

/* ---- The log --------------------------------------------------------------------------------- */

static void show_line(const struct log_entry *entry) {
    printf("[%4lu.%06lu] %u %s%s\n", entry->us / 1000000, entry->us % 1000000, entry->cpu,
           log_level_prefix(entry->level), entry->text);
}

/* The level that a word names; LOG_DEBUG + 1 iff none. */
static unsigned level_of(const char *word) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    unsigned level = 0;
    while (level <= LOG_DEBUG && !words_equal(names[level], word))
        level++;
    return level;
}

static void run_log(unsigned count, char **word) {
    struct log_entry entry;
    uint64_t number = 0, shown = 0;
    unsigned level = count > 1 ? level_of(word[1]) : LOG_DEBUG;
    if (level > LOG_DEBUG) {
        printf("A level is error, warning, info or debug, not \"%.40s\".\n", word[1]);
        return;
    }
    while (log_read(&number, &entry) && !shell_interrupted()) {
        if (entry.level <= level) {
            show_line(&entry);
            shown++;
        }
    }
    printf("%lu of %lu lines; the last %u are kept.\n", shown, number, LOG_RING_LINES);
}

/* ---- Table ----------------------------------------------------------------------------------- */

static const struct command commands[] = {
    {"help", "[COMMAND]", "this list, or more about one command", NULL, 1, 2, OPERAND_COMMAND,
     command_help},
    {"map", "[SIZE | processes]", "a picture of RAM, a cell for 2 MiB or SIZE",
     "Rows without RAM are left out; with much RAM a cell is larger. \"map 128K\" looks closer.\n"
     "\"map processes\" shows who holds it.\n",
     1, 3, OPERAND_NONE, run_map},
    {"memory", "", "what the board reported, and how much is free", NULL, 1, 1, OPERAND_NONE,
     run_memory},
    {"buddies", "", "free blocks by zone and order (buddyinfo)",
     "A block of order k is 2^k frames of 4 KiB.\n", 1, 1, OPERAND_NONE, run_buddies},
    {"caches", "[info]", "object caches; info: all columns of slabinfo",
     "live: with callers. slots: places in slabs. magazines, depot: free, kept at hand.\n", 1, 2,
     OPERAND_NONE, run_caches},
    {"owners", "[on | off]", "who allocated which frames (page_owner)",
     "Call sites are kept while it is on, for what is allocated from then on.\n", 1, 2,
     OPERAND_NONE, run_owners},
    {"frag", "", "fragmentation index by order",
     "-1: a block of this order is free. Towards 0 a request would fail for lack of memory,\n"
     "towards 1 because what is free lies in pieces.\n",
     1, 1, OPERAND_NONE, run_frag},
    {"whatis", "ADDRESS | #N", "what lies at an address",
     "ADDRESS is a pointer or a physical address; #N is what \"list\" calls N.\n", 2, 2,
     OPERAND_NONE, run_whatis},
    {"cpus", "", "the cores, how they started, their interrupts", NULL, 1, 1, OPERAND_NONE,
     run_cpus},
    {"log", "[LEVEL]", "what happened so far: when, on which CPU",
     "LEVEL is error, warning, info or debug (all, as without it).\n", 1, 2, OPERAND_NONE, run_log},
    {"uptime", "", "which board, and since when", NULL, 1, 1, OPERAND_NONE, run_uptime},
};

const struct command_table look_commands = {"Look", commands,
                                            sizeof(commands) / sizeof(commands[0])};
