/* test_windows.c: in-kernel tests of the address space that larder's metadata lives in
 * (arch/arm64/metadata.c): it reads as zero before it is committed, a commit makes it writable
 * while other CPUs read it, and a release gives everything back. */
#include "kerneltest.h"

#include "larder/port.h"

#include <stdatomic.h>

#define BLOCK_BYTES ((size_t)2 << 20) /* mapped in one piece if committed in one */
#define WINDOW_BYTES (4 * BLOCK_BYTES)
#define PIECES 60u

static volatile unsigned char *window;
static atomic_bool done;
static atomic_ulong wrong, looks;

static size_t next_offset(uint64_t *random) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*random >> 33) % WINDOW_BYTES;
}

/* What the writer stores into a page, never 0. */
static unsigned char mark_of(size_t offset) {
    return (unsigned char)(offset / LARDER_FRAME_BYTES | 1);
}

/* Zero or the mark, whatever CPU 0 is doing to the tables; half of the time with interrupts off. */
static void look(void *arg) {
    uint64_t random = *(const unsigned *)arg;
    while (!atomic_load(&done)) {
        size_t offset = next_offset(&random) / LARDER_FRAME_BYTES * LARDER_FRAME_BYTES;
        uintptr_t state = random >> 63 ? larder_port_slot_enter() : 0;
        unsigned char byte = window[offset];
        if (random >> 63)
            larder_port_slot_leave(state);
        if (byte != 0 && byte != mark_of(offset))
            atomic_fetch_add(&wrong, 1);
        atomic_fetch_add(&looks, 1);
    }
}

static void commit_and_mark(size_t offset, size_t bytes) {
    if (bytes > WINDOW_BYTES - offset)
        bytes = WINDOW_BYTES - offset;
    if (!EXPECT(larder_port_commit((void *)(window + offset), bytes)))
        return;
    offset = offset / LARDER_FRAME_BYTES * LARDER_FRAME_BYTES;
    for (size_t end = offset + bytes; offset < end; offset += LARDER_FRAME_BYTES)
        window[offset] = mark_of(offset);
}

static void commit_under_eyes(void) {
    static unsigned number[64];
    uint64_t random = 1;
    atomic_store(&done, false);
    atomic_store(&wrong, 0);
    atomic_store(&looks, 0);
    window = larder_port_reserve(WINDOW_BYTES, BLOCK_BYTES);
    if (!EXPECT(window != NULL))
        return;
    EXPECT(fault_probe_read((uintptr_t)window) && !fault_probe_write((uintptr_t)window));
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++) {
        number[cpu] = cpu;
        cpu_call(cpu, look, &number[cpu]);
    }
    for (unsigned i = 0; i < PIECES; i++)
        commit_and_mark(next_offset(&random) % (3 * BLOCK_BYTES), next_offset(&random) % 40000 + 1);
    commit_and_mark(3 * BLOCK_BYTES, BLOCK_BYTES); /* in one piece */
    commit_and_mark(0, WINDOW_BYTES);              /* what is committed already stays */
    atomic_store(&done, true);
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++)
        cpu_call_wait(cpu);
    kerneltest_note("%lu looks by %u CPUs", atomic_load(&looks), cpu_count() - 1);
    EXPECT_EQUAL(atomic_load(&wrong), 0);
    for (size_t offset = 0; offset < WINDOW_BYTES; offset += LARDER_FRAME_BYTES)
        EXPECT_EQUAL(window[offset], mark_of(offset));
    larder_port_release((void *)window, WINDOW_BYTES);
    EXPECT_EQUAL(window[0] + window[WINDOW_BYTES - 1], 0);
    EXPECT(!fault_probe_write((uintptr_t)window));
}

/* A large window costs nothing until it is used, and reads as zero to its end. */
static void reads_as_zero(void) {
    size_t bytes = (size_t)64 << 30;
    volatile unsigned char *large = larder_port_reserve(bytes, LARDER_FRAME_BYTES);
    if (!EXPECT(large != NULL))
        return;
    for (size_t offset = 0; offset < bytes; offset += bytes / 1000)
        EXPECT_EQUAL(large[offset], 0);
    EXPECT_EQUAL(large[bytes - 1], 0);
    EXPECT(larder_port_reserve(SIZE_MAX / 2, LARDER_FRAME_BYTES) == NULL);
    larder_port_release((void *)large, bytes);
}

const struct kerneltest window_tests[] = {
    {"windows-zero", reads_as_zero},
    {"windows-commit", commit_under_eyes},
    {NULL, NULL},
};
