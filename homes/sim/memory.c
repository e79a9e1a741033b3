/* memory.c: the system half of the port: reservations, of which only committed pages can be
 * written.
 *
 * A reservation is mapped readable, so that it reads as zero everywhere as the port promises, and
 * a commit makes its pages writable: a core that writes the record of a hole crashes here.
 */
#include "internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RESERVATIONS_MAX 1024u
#define WORD_BITS 64u

struct reservation {
    unsigned char *base; /* NULL: this entry is free */
    size_t size_bytes;
    uint64_t *committed; /* one bit for each page of the port */
    const struct sim *machine;
};

/* The mutex is for SIM_THREADS: these calls are slow paths of the core, made without its locks. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct reservation reservations[RESERVATIONS_MAX];
static size_t page_bytes = 4096;
static _Atomic size_t committed_now, committed_max;
struct sim *memory_machine;

void sim_page_bytes_set(size_t bytes) {
    sim_check(bytes >= LARDER_FRAME_BYTES && (bytes & (bytes - 1)) == 0);
    page_bytes = bytes;
}

size_t sim_committed_bytes(void) {
    return committed_now;
}

size_t sim_committed_bytes_max(void) {
    return committed_max;
}

/* Address space, aligned, of which nothing is backed by memory until it is touched. */
void *memory_map(size_t size_bytes, size_t align_bytes, bool readable) {
    size_t span_bytes = size_bytes + align_bytes;
    if (span_bytes < size_bytes) {
        return NULL;
    }
    unsigned char *span = mmap(NULL, span_bytes, readable ? PROT_READ : PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (span == MAP_FAILED) {
        return NULL;
    }
    size_t head_bytes = (size_t)(-(uintptr_t)span & (align_bytes - 1));
    size_t tail_bytes = span_bytes - head_bytes - size_bytes;
    if (head_bytes) {
        munmap(span, head_bytes);
    }
    if (tail_bytes) {
        munmap(span + head_bytes + size_bytes, tail_bytes);
    }
    return span + head_bytes;
}

void check_no_lock(const char *what) {
    schedule_point(SIM_MEMORY, what);
    if (cpu_now()->held_count) {
        sim_fail("CPU %u calls %s with a lock held", cpu_now()->id, what);
    }
}

static struct reservation *reservation_find(const void *pointer) {
    const unsigned char *at = pointer;
    for (unsigned i = 0; i < RESERVATIONS_MAX; i++) {
        struct reservation *r = &reservations[i];
        if (r->base && at >= r->base && at < r->base + r->size_bytes) {
            return r;
        }
    }
    return NULL;
}

static struct reservation *reservation_unused(void) {
    for (unsigned i = 0; i < RESERVATIONS_MAX; i++) {
        if (!reservations[i].base) {
            return &reservations[i];
        }
    }
    return NULL;
}

static size_t pages_of(size_t bytes) {
    return (bytes + page_bytes - 1) / page_bytes;
}

void *larder_port_reserve(size_t size_bytes, size_t align_bytes) {
    check_no_lock("reserve");
    if (size_bytes == 0 || size_bytes % LARDER_FRAME_BYTES || align_bytes % LARDER_FRAME_BYTES ||
        (align_bytes & (align_bytes - 1))) {
        sim_fail("reserve of %zu bytes aligned to %zu", size_bytes, align_bytes);
    }
    if (fault_now("reserve")) {
        return NULL;
    }
    size_t align = align_bytes > page_bytes ? align_bytes : page_bytes;
    pthread_mutex_lock(&guard);
    struct reservation *r = reservation_unused();
    size_t rounded_bytes = pages_of(size_bytes) * page_bytes;
    size_t mapped_bytes =
        rounded_bytes + page_bytes; /* a page behind the end that nobody may touch */
    void *base = r && mapped_bytes > size_bytes ? memory_map(mapped_bytes, align, true) : NULL;
    if (base) {
        mprotect((unsigned char *)base + rounded_bytes, page_bytes, PROT_NONE);
        size_t words = pages_of(size_bytes) / WORD_BITS + 1;
        *r = (struct reservation){base, rounded_bytes, calloc(words, sizeof(uint64_t)),
                                  memory_machine};
    }
    pthread_mutex_unlock(&guard);
    return base;
}

/* Mark a page; true iff it was not committed before. */
static bool page_mark(struct reservation *r, size_t page) {
    uint64_t bit = (uint64_t)1 << (page % WORD_BITS);
    bool is_new = !(r->committed[page / WORD_BITS] & bit);
    r->committed[page / WORD_BITS] |= bit;
    return is_new;
}

static void count_committed(size_t bytes) {
    size_t total = atomic_fetch_add(&committed_now, bytes) + bytes;
    if (total > committed_max) {
        committed_max = total;
    }
}

/* A kernel takes the frames for a commit out of the range table; so does sim if asked to. */
static bool take_from_ranges(size_t bytes) {
    struct sim *sim = memory_machine;
    if (!sim || !sim->map_from_ranges || sim->ranges.closed || bytes == 0) {
        return true;
    }
    return larder_ranges_take(&sim->ranges, bytes, page_bytes, UINT64_MAX, LARDER_RANGE_RESERVED) !=
           LARDER_ADDRESS_NONE;
}

static size_t count_new(const struct reservation *r, size_t first, size_t end) {
    size_t count = 0;
    for (size_t page = first; page < end; page++) {
        count += !(r->committed[page / WORD_BITS] >> (page % WORD_BITS) & 1);
    }
    return count;
}

static bool commit_pages(struct reservation *r, size_t first, size_t end) {
    if (!take_from_ranges(count_new(r, first, end) * page_bytes)) {
        return false;
    }
    if (mprotect(r->base + first * page_bytes, (end - first) * page_bytes,
                 PROT_READ | PROT_WRITE)) {
        return false;
    }
    for (size_t page = first; page < end; page++) {
        if (page_mark(r, page)) {
            count_committed(page_bytes);
        }
    }
    return true;
}

bool larder_port_commit(void *pointer, size_t size_bytes) {
    check_no_lock("commit");
    if (fault_now("commit")) {
        return false;
    }
    pthread_mutex_lock(&guard);
    struct reservation *r = reservation_find(pointer);
    size_t offset_bytes = r ? (size_t)((unsigned char *)pointer - r->base) : 0;
    bool fits = r && size_bytes <= r->size_bytes - offset_bytes;
    bool done =
        fits && commit_pages(r, offset_bytes / page_bytes, pages_of(offset_bytes + size_bytes));
    pthread_mutex_unlock(&guard);
    if (!fits) {
        sim_fail("commit of %zu bytes at %p: not inside a reservation", size_bytes, pointer);
    }
    return done;
}

static void reservation_end(struct reservation *r) {
    size_t pages = pages_of(r->size_bytes);
    committed_now -= (pages - count_new(r, 0, pages)) * page_bytes;
    munmap(r->base, r->size_bytes + page_bytes);
    free(r->committed);
    *r = (struct reservation){0};
}

void larder_port_release(void *pointer, size_t size_bytes) {
    check_no_lock("release");
    pthread_mutex_lock(&guard);
    struct reservation *r = reservation_find(pointer);
    bool whole = r && r->base == pointer && pages_of(size_bytes) * page_bytes == r->size_bytes;
    if (whole) {
        reservation_end(r);
    }
    pthread_mutex_unlock(&guard);
    if (!whole) {
        sim_fail("release of %zu bytes at %p: not a whole reservation", size_bytes, pointer);
    }
}

/* The contents may stay or go. Here they go, so that a core which needs them is caught. */
bool larder_port_purge(void *pointer, size_t size_bytes) {
    check_no_lock("purge");
    memset(pointer, 0, size_bytes);
    return true;
}

size_t larder_port_page_bytes(void) {
    return page_bytes;
}

unsigned memory_reservations(const struct sim *sim) {
    unsigned count = 0;
    for (unsigned i = 0; i < RESERVATIONS_MAX; i++) {
        count += reservations[i].base && reservations[i].machine == sim;
    }
    return count;
}

void memory_release_all(const struct sim *sim) {
    for (unsigned i = 0; i < RESERVATIONS_MAX; i++) {
        if (reservations[i].base && reservations[i].machine == sim) {
            reservation_end(&reservations[i]);
        }
    }
}
