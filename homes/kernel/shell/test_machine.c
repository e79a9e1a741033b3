/* test_machine.c: in-kernel tests of what lies around larder: permissions of memory, what the map
 * says of this machine's RAM, start-up memory, time, texts. */
#include "kerneltest.h"
#include "words.h"

#include "arch/arm64/mmu.h"
#include "boot/boot.h"

#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/port.h"
#include "larder/stats.h"

#include <limits.h>

#define MIB ((uint64_t)1 << 20)
#define RET 0xd65f03c0u /* the instruction `ret` */

/* ---- W^X ------------------------------------------------------------------------------------- */

static const uint32_t ret_constant = RET;
static uint32_t ret_data = RET;

static uintptr_t find_ret(void) {
    for (uintptr_t at = (uintptr_t)text_start; at < (uintptr_t)text_end; at += sizeof(uint32_t))
        if (*(const uint32_t *)at == RET)
            return at;
    return 0;
}

static void expect_access(uintptr_t address, bool read, bool write, bool execute) {
    kerneltest_expect(fault_probe_read(address) == read, __FILE__, __LINE__, "%#lx: readable is %d",
                      address, !read);
    kerneltest_expect(fault_probe_write(address) == write, __FILE__, __LINE__,
                      "%#lx: writable is %d", address, !write);
    kerneltest_expect(fault_probe_execute(address) == execute, __FILE__, __LINE__,
                      "%#lx: executable is %d", address, !execute);
}

/* Nothing is writable and executable. */
static void write_xor_execute(void) {
    uint32_t ret_stack = RET;
    uint32_t *ret_heap = larder_alloc(kernel_larder, sizeof(*ret_heap));
    uint32_t *ret_frame = larder_frames_alloc(kernel_larder, 0, 0);
    __asm__ volatile("" : "+m"(ret_stack));
    *ret_heap = *ret_frame = RET;
    expect_access(find_ret(), true, false, true);
    expect_access((uintptr_t)&ret_constant, true, false, false);
    expect_access((uintptr_t)&ret_data, true, true, false);
    expect_access((uintptr_t)&ret_stack, true, true, false);
    expect_access((uintptr_t)ret_heap, true, true, false);
    expect_access((uintptr_t)ret_frame, true, true, false);
    larder_frames_free(kernel_larder, ret_frame);
    larder_free(kernel_larder, ret_heap);
}

static uintptr_t linear_alias(uintptr_t image_pointer) {
    return (uintptr_t)mmu_pointer(mmu_address((const void *)image_pointer));
}

/* The same bytes are in the linear map: there they may be read, and no more. */
static void linear_alias_of_text(void) {
    uintptr_t alias = linear_alias(find_ret());
    EXPECT_EQUAL(*(const uint32_t *)alias, RET);
    expect_access(alias, true, false, false);
    expect_access(linear_alias((uintptr_t)&ret_constant), true, false, false);
}

/* Addresses of the lower half, where the MMU was turned on, mean nothing any more. */
static void identity_map_gone(void) {
    expect_access(0, false, false, false);
    expect_access((uintptr_t)boot_info.image_address, false, false, false);
    expect_access(mmu_address(idmap_start), false, false, false);
    expect_access(mmu_address((const void *)find_ret()), false, false, false);
}

/* Code and data of start-up are not in the image's mapping any more. */
static void startup_unmapped(void) {
    expect_access((uintptr_t)init_start, false, false, false);
    expect_access((uintptr_t)init_end - sizeof(uint32_t), false, false, false);
}

/* ---- What is given out ------------------------------------------------------------------------
 */

static void count_frames(uint64_t address, uint64_t bytes, struct larder_map_cell *cell) {
    uint64_t first = address / LARDER_FRAME_BYTES * LARDER_FRAME_BYTES;
    uint64_t last = (address + bytes - 1) / LARDER_FRAME_BYTES * LARDER_FRAME_BYTES;
    larder_map_read(kernel_larder, first, last + LARDER_FRAME_BYTES - first, cell);
}

static void expect_never_given(const char *what, uint64_t address, uint64_t bytes) {
    struct larder_map_cell cell;
    count_frames(address, bytes, &cell);
    kerneltest_expect(cell.free + cell.in_bins + cell.slab + cell.run == 0, __FILE__, __LINE__,
                      "%s, 0x%lx of %lu bytes, is given out", what, address, bytes);
}

static void image_is_reserved(void) {
    expect_never_given("text", mmu_address(text_start), (uint64_t)(text_end - text_start));
    expect_never_given("rodata", mmu_address(rodata_start), (uint64_t)(rodata_end - rodata_start));
    expect_never_given("data", mmu_address(data_start), (uint64_t)(image_end - data_start));
    if (boot_info.dtb_address != 0 &&
        larder_ranges_find(memory_ranges(), boot_info.dtb_address) == NULL)
        EXPECT(machine_bootarg("mem") != NULL); /* and it lies beyond */
}

/* Every range of the table that is not to be given out, frame by frame. */
static void reserved(void) {
    const struct larder_ranges *ranges = memory_ranges();
    unsigned looked_at = 0;
    for (unsigned i = 0; i < ranges->count; i++) {
        const struct larder_range *range = &ranges->range[i];
        if (range->kind != LARDER_RANGE_RESERVED && range->kind != LARDER_RANGE_DEVICE)
            continue;
        expect_never_given("a reserved range", range->address, range->size_bytes);
        looked_at++;
    }
    EXPECT(looked_at > 0);
}

/* 0x10000000+0x100000,0x… as larder.expect-reserved says: what the host put into the tree. */
static void reserved_as_told(void) {
    const char *text = machine_bootarg("larder.expect-reserved");
    if (text == NULL) {
        kerneltest_skip("the command line names no ranges");
        return;
    }
    while (*text != '\0') {
        char *end;
        uint64_t address = strtoul(text, &end, 0);
        if (!EXPECT(end > text && *end == '+'))
            return;
        text = end + 1;
        uint64_t bytes = strtoul(text, &end, 0);
        if (!EXPECT(end > text && bytes > 0))
            return;
        text = *end == ',' ? end + 1 : end;
        kerneltest_note("0x%lx, %lu KiB", address, bytes >> 10);
        const struct larder_range *range = larder_ranges_find(memory_ranges(), address);
        EXPECT(range != NULL && range->kind == LARDER_RANGE_RESERVED);
        expect_never_given("what was told", address, bytes);
    }
}

static uint64_t ram_bytes(void) {
    const struct larder_ranges *ranges = memory_ranges();
    return larder_ranges_bytes(ranges, LARDER_RANGE_USABLE) +
           larder_ranges_bytes(ranges, LARDER_RANGE_DONATED) +
           larder_ranges_bytes(ranges, LARDER_RANGE_RESERVED);
}

/* larder.expect-ram=BYTES: what the host gave the machine. */
static void ram_as_told(void) {
    const char *text = machine_bootarg("larder.expect-ram");
    if (text == NULL) {
        kerneltest_skip("the command line names no size");
        return;
    }
    kerneltest_note("%lu MiB, by the %s", ram_bytes() / MIB, machine_memory_source());
    EXPECT_EQUAL(ram_bytes(), strtoul(text, NULL, 0));
}

/* What the table calls usable or donated is usable, less the frames that rounding costs. */
static void map_describes_ram(void) {
    const struct larder_ranges *ranges = memory_ranges();
    struct larder_frames_stats stats;
    uint64_t given = larder_ranges_bytes(ranges, LARDER_RANGE_USABLE) +
                     larder_ranges_bytes(ranges, LARDER_RANGE_DONATED);
    larder_frames_stats(kernel_larder, &stats);
    EXPECT(stats.usable * LARDER_FRAME_BYTES <= given);
    EXPECT((stats.usable + ranges->count) * LARDER_FRAME_BYTES >= given);
    EXPECT_EQUAL(stats.usable, stats.free + stats.allocated + stats.in_bins);
    EXPECT(stats.map_bytes <= ram_bytes() / 64);
}

/* Start-up memory belongs to the buddies now. */
static void donation(void) {
    const struct larder_ranges *ranges = memory_ranges();
    struct larder_map_cell cell;
    uint64_t donated = 0;
    for (unsigned i = 0; i < ranges->count; i++) {
        const struct larder_range *range = &ranges->range[i];
        if (range->kind != LARDER_RANGE_DONATED)
            continue;
        larder_map_read(kernel_larder, range->address, range->size_bytes, &cell);
        EXPECT_EQUAL(cell.reserved + cell.absent, 0);
        donated += range->size_bytes;
    }
    kerneltest_note("%lu KiB of start-up memory were given back", donated >> 10);
    EXPECT(donated >= (uint64_t)(init_end - init_start));
    larder_map_read(kernel_larder, mmu_address(init_start), (uint64_t)(init_end - init_start),
                    &cell);
    EXPECT_EQUAL(cell.reserved + cell.absent, 0);
}

/* What was code of start-up is memory like any other, also for the kernel's own tables: with no
 * other memory left, a commit takes its tables and its frame from there. */
struct held {
    struct held *next;
};

static bool is_from_startup(const void *pointer) {
    uint64_t first = mmu_address(init_start);
    return larder_frames_address(kernel_larder, pointer) - first <
           (uint64_t)(init_end - init_start);
}

/* Give back what lies in start-up memory, and one large block, because the last frames are kept
 * back; the kernel's frames come out of the fullest 2 MiB, which is start-up's. */
static void give_some(struct held **list) {
    struct held *kept = NULL, *block;
    bool large = false;
    while ((block = *list) != NULL) {
        bool is_large = larder_frames_count(kernel_larder, block) >= 512;
        *list = block->next;
        if (is_from_startup(block) || (is_large && !large)) {
            large = large || is_large;
            larder_frames_free(kernel_larder, block);
        } else {
            block->next = kept;
            kept = block;
        }
    }
    *list = kept;
}

static uint64_t free_in_startup(void) {
    struct larder_map_cell cell;
    larder_map_read(kernel_larder, mmu_address(init_start), (uint64_t)(init_end - init_start),
                    &cell);
    return cell.free;
}

static void take_everything(struct held **list) {
    struct held *block;
    for (unsigned order = LARDER_ORDER_MAX + 1; order-- > 0;) {
        while ((block = larder_frames_alloc(kernel_larder, order, LARDER_USE_RESERVE)) != NULL) {
            block->next = *list;
            *list = block;
        }
    }
}

static void startup_reused(void) {
    struct held *list = NULL, *block;
    size_t bytes = (size_t)4 << 20;
    volatile unsigned char *window = larder_port_reserve(bytes, bytes);
    if (!EXPECT(window != NULL))
        return;
    take_everything(&list);
    EXPECT(!larder_port_commit((void *)window, 1));
    give_some(&list);
    (void)larder_reclaim(kernel_larder); /* out of the bins */
    uint64_t before = free_in_startup();
    if (EXPECT(larder_port_commit((void *)window, 1) &&
               larder_port_commit((void *)(window + bytes - 1), 1))) {
        EXPECT(free_in_startup() < before);
        window[0] = window[bytes - 1] = 0x5a;
        EXPECT_EQUAL(window[0] + window[bytes - 1], 2 * 0x5a);
    }
    while ((block = list) != NULL) {
        list = block->next;
        larder_frames_free(kernel_larder, block);
    }
    larder_port_release((void *)window, bytes);
}

/* ---- Time ------------------------------------------------------------------------------------ */

static void read_clock(void *arg) {
    *(uint64_t *)arg = clock_us();
}

static void time_goes_on(void) {
    uint64_t last = clock_us();
    for (unsigned i = 0; i < 200; i++) {
        uint64_t now = 0;
        cpu_call(i % cpu_count(), read_clock, &now);
        cpu_call_wait(i % cpu_count());
        EXPECT(now >= last);
        last = now;
    }
}

/* 100 ticks a second; the emulator may be slow, so fewer are allowed, but not many more. */
static void ticks(void) {
    struct cpu_info before[64], after;
    uint64_t begin_us = clock_us(), end_us;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        (void)cpu_info(cpu, &before[cpu]);
    while ((end_us = clock_us()) < begin_us + 500000)
        cpu_wait_for_interrupt();
    uint64_t due = (end_us - begin_us) / 10000;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        (void)cpu_info(cpu, &after);
        uint64_t seen = after.ticks - before[cpu].ticks;
        kerneltest_expect(seen >= due / 5 && seen <= due + due / 2 + 2, __FILE__, __LINE__,
                          "CPU %u: %lu ticks, %lu were due", cpu, seen, due);
    }
}

static void cpus_as_told(void) {
    const char *text = machine_bootarg("larder.expect-cpus");
    struct cpu_info info;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        EXPECT(cpu_info(cpu, &info) && info.online);
        kerneltest_note("CPU %u: %s, entered at EL%u (%s)", cpu, info.core, info.entry_level,
                        info.start);
    }
    EXPECT(!cpu_info(UINT32_MAX, &info));
    if (text != NULL)
        EXPECT_EQUAL(cpu_count(), strtoul(text, NULL, 0));
    text = machine_bootarg("larder.expect-level");
    EXPECT(cpu_info(0, &info));
    if (text != NULL)
        EXPECT_EQUAL(info.entry_level, strtoul(text, NULL, 0));
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void expect_text(const char *got, int length, const char *expected) {
    kerneltest_expect(words_equal(got, expected) && (size_t)length == strlen(expected), __FILE__,
                      __LINE__, "\"%s\" instead of \"%s\"", got, expected);
}

static void formats(void) {
    char text[64];
    expect_text(text, snprintf(text, sizeof(text), "%d|%5u|%-5d|%05d", -7, 42u, 3, -3),
                "-7|   42|3    |-0003");
    expect_text(
        text, snprintf(text, sizeof(text), "%x|%#lx|%08X|%p", 255u, 4096ul, 0xabcu, (void *)0x1000),
        "ff|0x1000|00000ABC|0x1000");
    expect_text(text,
                snprintf(text, sizeof(text), "%s|%.2s|%5s|%-4s|%c%%", "a", "bcd", "e", "f", 'g'),
                "a|bc|    e|f   |g%");
    expect_text(
        text,
        snprintf(text, sizeof(text), "%lu|%lld|%zu|%*d", UINT64_MAX, LLONG_MIN, (size_t)9, 4, 5),
        "18446744073709551615|-9223372036854775808|9|   5");
    EXPECT_EQUAL(snprintf(text, 4, "123456"), 6);
    EXPECT(words_equal(text, "123"));
}

static void symbols(void) {
    size_t offset = 0;
    const char *name = symbol_find((uintptr_t)kerneltest_run + 4, &offset);
    EXPECT(name != NULL && words_equal(name, "kerneltest_run"));
    EXPECT_EQUAL(offset, 4);
    EXPECT(symbol_find(0, &offset) == NULL);
    EXPECT(symbol_find(UINTPTR_MAX, &offset) == NULL);
}

const struct kerneltest machine_tests[] = {
    {"cpus", cpus_as_told},
    {"write-xor-execute", write_xor_execute},
    {"linear-alias", linear_alias_of_text},
    {"identity-map-gone", identity_map_gone},
    {"startup-unmapped", startup_unmapped},
    {"image-reserved", image_is_reserved},
    {"reserved", reserved},
    {"reserved-as-told", reserved_as_told},
    {"ram-as-told", ram_as_told},
    {"map-describes-ram", map_describes_ram},
    {"donation", donation},
    {"startup-reused", startup_reused},
    {"clock", time_goes_on},
    {"ticks", ticks},
    {"formats", formats},
    {"symbols", symbols},
    {NULL, NULL},
};
