/* demonstration.c: what larder does, shown on the machine at hand, without a terminal or with one.
 *
 * Cores, memory map, buddies, caches, heap, a picture of RAM, and work on all cores with interrupts
 * that allocate. At the end every CPU empties what it holds back and the free frames are counted
 * again: the number must be the one from the beginning. */
#include "census.h"
#include "command.h"
#include "demo.h"
#include "look.h"
#include "stress.h"

#include "larder/stats.h"

#define STRESS_US 3000000u
#define STRESS_SIZE_MAX ((size_t)128 << 10)

static unsigned claims, wrong, chapters;

bool demo_claim(bool holds, const char *format, ...) {
    va_list arguments;
    claims++;
    wrong += !holds;
    printf("   %s ", holds ? "ok:   " : "WRONG:");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    return holds;
}

void demo_chapter(const char *title) {
    printf("\n%u. %s\n\n", ++chapters, title);
}

/* ---- Cores ----------------------------------------------------------------------------------- */

static void answer(void *arg) {
    *(unsigned *)arg = cpu_self();
}

static void cores(void) {
    unsigned answered = 0;
    demo_chapter("The cores");
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        struct cpu_info info = {.core = ""};
        unsigned self = UINT32_MAX;
        cpu_call(cpu, answer, &self);
        cpu_call_wait(cpu);
        (void)cpu_info(cpu, &info);
        printf("   cpu %u  %s  entered at EL%u  (%s)\n", cpu, info.core, info.entry_level,
               info.start);
        answered += self == cpu && info.online;
    }
    demo_claim(answered == cpu_count(), "%u of %u cores run what they are given", answered,
               cpu_count());
}

/* ---- Memory map ------------------------------------------------------------------------------ */

static void zones(void) {
    struct larder_zone_stats stats;
    uint64_t usable = 0;
    struct larder_frames_stats all;
    for (unsigned zone = 0; larder_zone_stats(kernel_larder, zone, &stats); zone++) {
        printf("   zone %-8s 0x%09lx .. 0x%09lx  %8lu frames, %8lu free\n", stats.name,
               stats.first_address, stats.end_address, stats.usable, stats.free);
        usable += stats.usable;
    }
    larder_frames_stats(kernel_larder, &all);
    demo_claim(all.usable == usable, "the zones' usable frames add up to %lu", all.usable);
    demo_claim(all.usable == all.free + all.allocated + all.in_bins,
               "usable = %lu free + %lu allocated + %lu in bins", all.free, all.allocated,
               all.in_bins);
}

/* RAM that is described or reserved: what is usable now was usable or donated in the table. */
static void memory_map(void) {
    const struct larder_ranges *ranges = memory_ranges();
    struct larder_frames_stats stats;
    uint64_t ram = larder_ranges_bytes(ranges, LARDER_RANGE_USABLE) +
                   larder_ranges_bytes(ranges, LARDER_RANGE_DONATED) +
                   larder_ranges_bytes(ranges, LARDER_RANGE_RESERVED);
    demo_chapter("The memory map");
    printf("   what the board reports (%s), and what start-up took of it:\n",
           machine_memory_source());
    look_ranges();
    larder_frames_stats(kernel_larder, &stats);
    printf("   %lu frames of 4 KiB, 32 bytes each: %lu KiB of map for %lu MiB\n",
           ram >> LARDER_FRAME_SHIFT, stats.map_bytes >> 10, ram >> 20);
    demo_claim(stats.usable * LARDER_FRAME_BYTES <= ram,
               "no frame is described that the board does not have");
    demo_claim(larder_ranges_bytes(ranges, LARDER_RANGE_DONATED) > 0 &&
                   stats.usable * LARDER_FRAME_BYTES >
                       larder_ranges_bytes(ranges, LARDER_RANGE_USABLE) - LARDER_RANGES_MAX * 4096,
               "start-up memory was given back");
    zones();
}

/* ---- Stress ---------------------------------------------------------------------------------- */

static void stress(void) {
    struct stress_result result;
    struct stress_config config = {.cpus = cpu_count(),
                                   .limit_us = STRESS_US,
                                   .size_max_bytes = STRESS_SIZE_MAX,
                                   .interrupts = true,
                                   .seed = 20240607};
    demo_chapter("All cores at once, and interrupts that allocate");
    stress_run(&config, &result);
    printf("   %lu blocks of every kind taken and given back on %u cores in %lu ms\n",
           result.work.taken, cpu_count(), result.elapsed_us / 1000);
    printf("   %lu timer interrupts on %u cores took and gave back %lu more\n", result.ticks,
           result.cpus_ticked, result.interrupt.taken);
    demo_claim(result.ran && result.work.damaged + result.interrupt.damaged == 0,
               "the contents of every block were checked: %lu damaged",
               result.work.damaged + result.interrupt.damaged);
    demo_claim(result.cpus_ticked == cpu_count() && result.interrupt.taken > 0,
               "interrupts allocated on %u of %u cores", result.cpus_ticked, cpu_count());
    demo_claim(stress_passed(&result), "everything taken was given back, %lu by another core",
               result.exchanged);
}

/* ---- Verdict --------------------------------------------------------------------------------- */

static void validate(void) {
    struct larder_fatal fatal;
    bool good = larder_validate(kernel_larder, &fatal);
    demo_chapter("The whole heap, checked");
    if (!good)
        larder_fatal_write(&fatal, &shell_terminal.sink);
    demo_claim(good, "larder_validate() walked every layer; every equation holds");
}

/* A person can make the verdict fail: larder.demo-leak=1 loses one frame on purpose. */
static void leak_if_asked(void) {
    if (machine_bootarg("larder.demo-leak") != NULL)
        (void)larder_frames_alloc(kernel_larder, 0, 0);
}

static void count_frames(uint64_t before, const char *since) {
    struct larder_frames_stats stats;
    leak_if_asked();
    census_take(&stats);
    claims++;
    wrong += stats.free != before;
    if (stats.free == before)
        printf("\neverything freed: %lu frames free, %s\n", stats.free, since);
    else
        printf("\nnot everything freed: %lu frames free, but %lu %s\n", stats.free, before, since);
}

bool demo_show(const char *since) {
    struct larder_frames_stats before;
    claims = wrong = chapters = 0;
    shell_terminal_init();
    census_take(&before);
    printf("\nlarder on %s: %u cores, %lu MiB of RAM\n", machine_name(), cpu_count(),
           (larder_ranges_bytes(memory_ranges(), LARDER_RANGE_USABLE) +
            larder_ranges_bytes(memory_ranges(), LARDER_RANGE_DONATED) +
            larder_ranges_bytes(memory_ranges(), LARDER_RANGE_RESERVED)) >>
               20);
    cores();
    memory_map();
    demo_buddies();
    demo_caches();
    demo_heap();
    demo_picture();
    stress();
    validate();
    count_frames(before.free, since);
    printf("VERDICT: %s (%u of %u claims hold)\n", wrong == 0 ? "passed" : "failed", claims - wrong,
           claims);
    return wrong == 0;
}

bool demonstration_run(void) {
    return demo_show("as at boot");
}
