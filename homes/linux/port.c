/* The system half of the Linux port: address space, page size, entropy, clock, last words.
 *
 * A reservation is one private mapping that can be read: as zero, and without costing anything,
 * also where memory is accounted strictly (overcommit_memory=2). A commit makes a part of it
 * writable; the kernel still gives a page only when it is first touched. Nothing here allocates,
 * keeps state or needs a constructor, so all of it works before main() and after exit handlers.
 */
#include "larder/port.h"

#include "larder/stats.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

_Thread_local struct larder_slot *larder_port_thread_slot = larder_slot_none;

/* ---- Locks ----------------------------------------------------------------------------------- */

/* A critical section of the core is tens of nanoseconds to a microsecond. Whoever waits longer than
 * that waits for an owner that lost its CPU: give ours away, and after a while sleep, because
 * sched_yield() alone never lets a thread of lower priority run. */
enum { SPINS_BEFORE_YIELD = 100, YIELDS_BEFORE_SLEEP = 20, SLEEP_NS = 50000 };

static bool spin(larder_port_lock_t *lock) {
    for (unsigned i = 0; i < SPINS_BEFORE_YIELD; i++) {
        larder_port_relax();
        if (!larder_port_lock_is_held(lock) &&
            __atomic_exchange_n(&lock->held, 1u, __ATOMIC_ACQUIRE) == 0)
            return true;
    }
    return false;
}

void larder_port_lock_wait(larder_port_lock_t *lock) {
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = SLEEP_NS};
    for (unsigned round = 0; !spin(lock); round++) {
        if (round < YIELDS_BEFORE_SLEEP)
            (void)sched_yield();
        else
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* For tests: LARDER_PAGE_BYTES, a power of two, makes pages look larger than they are. Whatever
 * rounds to larger pages is right for the real ones too. */
static size_t read_page_bytes(void) {
    const size_t page_bytes = (size_t)getauxval(AT_PAGESZ);
    const char *text = secure_getenv("LARDER_PAGE_BYTES");
    char *end = NULL;
    size_t wanted = text ? (size_t)strtoul(text, &end, 10) : 0;
    if (end && (*end & ~0x20) == 'K')
        wanted *= 1024;
    return wanted > page_bytes && (wanted & (wanted - 1)) == 0 ? wanted : page_bytes;
}

size_t larder_port_page_bytes(void) {
    static size_t page_bytes; /* atomic; 0 until read, then constant */
    size_t seen = __atomic_load_n(&page_bytes, __ATOMIC_RELAXED);
    if (seen == 0) {
        seen = read_page_bytes();
        __atomic_store_n(&page_bytes, seen, __ATOMIC_RELAXED);
    }
    return seen;
}

static uintptr_t round_up(uintptr_t value, size_t unit) {
    return (value + unit - 1) & ~((uintptr_t)unit - 1);
}

static void unmap(uintptr_t start, uintptr_t end) {
    if (end > start)
        (void)munmap((void *)start, end - start);
}

void *larder_port_reserve(size_t size_bytes, size_t align_bytes) {
    const size_t page_bytes = larder_port_page_bytes();
    if (align_bytes < page_bytes)
        align_bytes = page_bytes;
    const size_t slack_bytes = align_bytes > (size_t)getauxval(AT_PAGESZ) ? align_bytes : 0;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    size_t span_bytes;
    if (size_bytes == 0 || size_bytes > SIZE_MAX - page_bytes ||
        __builtin_add_overflow(round_up(size_bytes, page_bytes), slack_bytes, &span_bytes))
        return NULL;
    void *map = mmap(NULL, span_bytes, PROT_READ, flags, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    /* The kernel aligns to pages; cut off what lies before and behind the aligned part. */
    const uintptr_t start = round_up((uintptr_t)map, align_bytes);
    const uintptr_t end = start + round_up(size_bytes, page_bytes);
    unmap((uintptr_t)map, start);
    unmap(end, (uintptr_t)map + span_bytes);
    return (void *)start;
}

void larder_port_release(void *pointer, size_t size_bytes) {
    const uintptr_t start = (uintptr_t)pointer;
    unmap(start, start + round_up(size_bytes, larder_port_page_bytes()));
}

bool larder_port_commit(void *pointer, size_t size_bytes) {
    const size_t page_bytes = larder_port_page_bytes();
    const uintptr_t start = (uintptr_t)pointer & ~((uintptr_t)page_bytes - 1);
    const uintptr_t end = round_up((uintptr_t)pointer + size_bytes, page_bytes);
    return mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) == 0;
}

bool larder_port_purge(void *pointer, size_t size_bytes) {
    /* Inward: a page of the system may hold several frames, and its neighbours may be in use. */
    const size_t page_bytes = larder_port_page_bytes();
    const uintptr_t start = round_up((uintptr_t)pointer, page_bytes);
    const uintptr_t end = ((uintptr_t)pointer + size_bytes) & ~((uintptr_t)page_bytes - 1);
    if (end <= start || madvise((void *)start, end - start, MADV_DONTNEED) != 0)
        return false; /* nothing to give, or locked in memory */
    return end - start == size_bytes;
}

/* ---- Entropy, time --------------------------------------------------------------------------- */

uint64_t larder_port_clock_ms(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t larder_port_entropy(void) {
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) == (ssize_t)sizeof bits)
        return bits;
    /* Early in the boot of the machine, or a filter that forbids the call: the 16 random bytes that
     * the kernel gave this process, told apart from call to call by the clock. */
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t *seed = (const uint64_t *)getauxval(AT_RANDOM);
    const uint64_t ticks = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return (seed ? seed[0] : 0) ^ ticks * UINT64_C(0x9e3779b97f4a7c15);
}

/* ---- Last words ------------------------------------------------------------------------------ */

static void write_to_stderr(void *context, const char *text, size_t length) {
    (void)context;
    while (length != 0) {
        const ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

_Noreturn void larder_port_fatal(const struct larder_fatal *fatal) {
    const struct larder_sink sink = {.write = write_to_stderr, .context = NULL};
    larder_fatal_write(fatal, &sink);
    abort();
}

/* A thread empties itself on its next slow path. Interrupting threads with a signal to make them do
 * so now would break programs that use the signal. */
void larder_port_empty_slots(struct larder *larder) {
    (void)larder;
}
