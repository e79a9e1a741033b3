/* process.c: start-up and growth of the process's instance. See process.h. */
#include "process.h"

#include "larder/frames.h"
#include "larder/port.h"
#include "larder/ranges.h"
#include "larder/stats.h"

#include "libc.h"
#include "options.h"
#include "output.h"
#include "watch.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)
#define RESERVE_BYTES ((size_t)1 << 40) /* of address space; halved until the system gives it */
#define RESERVE_LEAST (16 * MIB)
#define FIRST_BYTES (4 * MIB) /* all of it counts where memory is accounted strictly */
#define LIMIT_LEAST (4 * MIB)
#define UNWIND_SHARE 64u /* of a hard limit: kept for small requests, so that programs unwind */
#define GUARDED_BLOCKS_MAX 8192u    /* LARDER_HARDENED, as the next */
#define QUARANTINE_BYTES (32 * MIB) /* of freed runs: addresses, nothing resident */
#define PLACE_BYTES (2 * MIB) /* page blocks are the largest unit whose alignment matters here */

struct larder_storage process_storage;

enum { UNSTARTED, STARTED, FAILED };

static struct {
    larder_port_lock_t lock; /* guards the rest */
    int state;               /* atomic */
    uintptr_t base;          /* constant once started, as is the next */
    size_t reserved_bytes;
    size_t usable_bytes; /* atomic: a prefix of the reservation */
    size_t limit_bytes;  /* of usable_bytes; 0: none */
} process;

/* ---- start ---- */

/* Under `ulimit -v` the program needs address space besides: half of the limit is ours at most. */
static size_t reserve_bytes(void) {
    struct rlimit limit;
    size_t bytes = RESERVE_BYTES;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        while (bytes > limit.rlim_cur / 2)
            bytes /= 2;
    }
    return bytes;
}

static void advise_huge(void *start, size_t size_bytes) {
    if (options.thp != THP_DEFAULT)
        (void)madvise(start, size_bytes,
                      options.thp == THP_ALWAYS ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static bool reserve(void) {
    for (size_t bytes = reserve_bytes(); bytes >= RESERVE_LEAST; bytes /= 2) {
        void *base = larder_port_reserve(bytes, PLACE_BYTES);
        if (base) {
            process.base = (uintptr_t)base;
            process.reserved_bytes = bytes;
            /* Nobody reads beyond what is usable; and mlockall() makes all that can be read
             * resident, which took it minutes. */
            (void)mprotect(base, bytes, PROT_NONE);
            advise_huge(base, bytes);
            return true;
        }
    }
    return false;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t ceiling(void) {
    const size_t limit = process.limit_bytes & ~(PLACE_BYTES - 1);
    return process.limit_bytes ? least(limit, process.reserved_bytes) : process.reserved_bytes;
}

static bool protect(void *start, size_t size_bytes, bool is_accessible) {
    return mprotect(start, size_bytes, is_accessible ? PROT_READ | PROT_WRITE : PROT_NONE) == 0;
}

/* Each block with guards costs up to four mappings of the 65,530 that a process may have: half of
 * them at most. Freed runs cost addresses only, but those count under a hard limit. */
static struct larder_hardening hardening(void) {
    const size_t kept = options.limit_bytes / 8;
    return (struct larder_hardening){
        .protect = protect,
        .guarded_blocks_max = GUARDED_BLOCKS_MAX,
        .quarantine_frames =
            (kept ? least(kept, QUARANTINE_BYTES) : QUARANTINE_BYTES) / LARDER_FRAME_BYTES,
    };
}

static bool init(size_t usable_bytes) {
    static struct larder_ranges ranges;
    const struct larder_hardening hard = hardening();
    struct larder_config config = {
        .ranges = &ranges,
        .slot_count = LARDER_SLOTS_MAX,
        .reserve_frames = least(options.limit_bytes / UNWIND_SHARE, MIB) / LARDER_FRAME_BYTES,
        .interval_ms = options.purge_ms,
        .is_reserved = true,
        .storage_is_zero = true,
        .has_no_frame_bins = true,
        .debug = options.debug,
        .hardening = options.hardened ? &hard : NULL,
    };
    larder_ranges_init(&ranges);
    (void)larder_ranges_add(&ranges, process.base, usable_bytes, LARDER_RANGE_USABLE);
    (void)larder_ranges_add(&ranges, process.base + usable_bytes,
                            process.reserved_bytes - usable_bytes, LARDER_RANGE_ABSENT);
    enum larder_status status;
    if (!larder_port_commit((void *)process.base, usable_bytes))
        return false;
    if (larder_init(&process_storage, &config, &status)) {
        /* Runs are no cache, but have a name too. */
        larder_debug_track_frames(PROCESS, larder_debug_flags(PROCESS, "run") & LARDER_DEBUG_OWNER);
        return true;
    }
    if (status != LARDER_BAD_OPTION || !config.debug)
        return false;
    output_warning("LARDER_DEBUG=", options.debug, ": not understood, and ignored");
    config.debug = options.debug = NULL;
    config.storage_is_zero = false;
    return larder_init(&process_storage, &config, NULL) != NULL;
}

/* Does the program want the C library's malloc, and is there one? */
static bool is_opted_out(void) {
    if (options.disable && !libc_has_malloc())
        output_warning("LARDER_DISABLE: there is no other malloc in this program", NULL, NULL);
    return options.disable && libc_has_malloc();
}

static bool start(void) {
    options_read();
    if (is_opted_out())
        return false;
    if (!reserve()) {
        output_warning("no address space to reserve (ulimit -v?)", NULL, NULL);
        return false;
    }
    watch_start();
    if (options.limit_bytes != 0 && options.limit_bytes < LIMIT_LEAST)
        options.limit_bytes = LIMIT_LEAST;
    process.limit_bytes = options.limit_bytes;
    const size_t first = least(FIRST_BYTES, ceiling());
    if (!init(first)) {
        larder_port_release((void *)process.base, process.reserved_bytes);
        process.reserved_bytes = 0;
        process_storage = (struct larder_storage){{0}}; /* the fast paths find nothing in it */
        return false;
    }
    process.usable_bytes = first;
    return true;
}

bool process_is_started(void) {
    return __atomic_load_n(&process.state, __ATOMIC_ACQUIRE) == STARTED;
}

bool process_start(void) {
    const int state = __atomic_load_n(&process.state, __ATOMIC_ACQUIRE);
    if (__builtin_expect(state != UNSTARTED, 1))
        return state == STARTED;
    larder_port_lock_acquire(&process.lock);
    if (process.state == UNSTARTED)
        __atomic_store_n(&process.state, start() ? STARTED : FAILED, __ATOMIC_RELEASE);
    const bool is_started = process.state == STARTED;
    larder_port_lock_release(&process.lock);
    return is_started;
}

/* ---- growth ---- */

size_t process_usable_bytes(void) {
    return __atomic_load_n(&process.usable_bytes, __ATOMIC_ACQUIRE);
}

size_t process_offset(const void *pointer) {
    return (uintptr_t)pointer - process.base;
}

bool process_owns(const void *pointer) {
    return (uintptr_t)pointer - process.base < process.reserved_bytes;
}

const void *process_base(void) {
    return (const void *)process.base;
}

size_t process_reserved_bytes(void) {
    return process.reserved_bytes;
}

void process_set_limit(size_t limit_bytes) {
    larder_port_lock_acquire(&process.lock);
    process.limit_bytes = limit_bytes;
    larder_port_lock_release(&process.lock);
}

/* The buddies find a block of `bytes` in twice its power of two, wherever that begins. */
static size_t step_for(size_t bytes) {
    size_t step = FIRST_BYTES;
    if (bytes > process.reserved_bytes / 4)
        return bytes + PLACE_BYTES;
    while (step < 2 * bytes)
        step *= 2;
    return step > process.usable_bytes / 4 ? step : process.usable_bytes / 4 & ~(PLACE_BYTES - 1);
}

static bool extend(size_t bytes) {
    const uintptr_t end = process.base + process.usable_bytes;
    if (!larder_port_commit((void *)end, bytes) ||
        larder_frames_donate(PROCESS, end, bytes) != LARDER_OK)
        return false;
    __atomic_store_n(&process.usable_bytes, process.usable_bytes + bytes, __ATOMIC_RELEASE);
    return true;
}

/* By the comfortable step, by what is left, or by what the system still gives. */
static bool grow(size_t size_bytes) {
    const size_t left = ceiling() > process.usable_bytes ? ceiling() - process.usable_bytes : 0;
    size_t step = least(step_for(size_bytes), left);
    for (; step >= PLACE_BYTES; step = step / 2 & ~(PLACE_BYTES - 1)) {
        if (extend(step))
            return true;
    }
    return false;
}

bool process_grow(size_t seen_bytes, size_t size_bytes, size_t align_bytes) {
    if (size_bytes > process.reserved_bytes || align_bytes > process.reserved_bytes)
        return false;
    larder_port_lock_acquire(&process.lock);
    const bool is_larger = process.usable_bytes > seen_bytes ||
                           grow(size_bytes > align_bytes ? size_bytes : align_bytes);
    larder_port_lock_release(&process.lock);
    return is_larger;
}

bool process_map_anew(void *start, size_t size_bytes) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    const int saved = errno;
    const bool is_mapped =
        mmap(start, size_bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED;
    if (is_mapped)
        advise_huge(start, size_bytes);
    errno = saved;
    return is_mapped;
}

void process_lock(void) {
    larder_port_lock_acquire(&process.lock);
}

void process_unlock(void) {
    larder_port_lock_release(&process.lock);
}
