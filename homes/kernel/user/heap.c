/* heap.c: the heap of a process that chooses no other: larder's region heap, in one region between
 * the end of the program and brk. When no chunk holds a request the region grows at its end
 * (larder_fit_grow). */
#include "user.h"

#define STEP_BYTES (64u << 10)

static struct larder_fit heap;
static struct larder_fit_region region;
static enum larder_fit_policy policy = LARDER_FIT_GOOD;
static uint64_t heap_start, heap_end;

void heap_policy(enum larder_fit_policy chosen) {
    policy = chosen;
}

/* Move the end up by at least so much. False iff the kernel refuses. */
static bool grow(size_t bytes) {
    uint64_t step = (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    uint64_t wanted = heap_end + step;

    if (wanted < heap_end || brk(wanted) != wanted)
        return false;
    heap_end = wanted;
    return true;
}

/* Where the kernel refuses, the next malloc() begins anew. */
static bool begin(size_t bytes) {
    uint64_t start = heap_end = brk(0);
    bool has_begun =
        larder_fit_init(&heap, policy) && grow(bytes) &&
        larder_fit_add_region(&heap, &region, (void *)start, heap_end - start, 0, 0) != 0;

    heap_start = has_begun ? start : 0;
    return has_begun;
}

/* Room for a chunk of that size with its header, whatever lies before the end. */
static bool make_room(size_t bytes) {
    size_t room = bytes + 4 * LARDER_FIT_ALIGN;

    if (bytes > PTRDIFF_MAX)
        return false;
    room += room / 8; /* GOOD fit looks in the next larger class */
    if (heap_start == 0)
        return begin(room);
    return grow(room) && larder_fit_grow(&heap, &region, (void *)heap_end) != 0;
}

static void *take(size_t bytes) {
    void *pointer = heap_start != 0 ? larder_fit_alloc(&heap, bytes) : NULL;

    if (pointer == NULL && bytes != 0 && make_room(bytes))
        pointer = larder_fit_alloc(&heap, bytes);
    return pointer;
}

static void *resize(void *pointer, size_t bytes) {
    void *moved = larder_fit_realloc(&heap, pointer, bytes);

    if (moved == NULL && make_room(bytes))
        moved = larder_fit_realloc(&heap, pointer, bytes);
    return moved;
}

static void give(void *pointer) {
    larder_fit_free(&heap, pointer);
}

/* Its free chunks carry headers and links: there is nothing to give before the end. */
static void trim(void) {
}

static void account(struct heap_account *account) {
    struct larder_fit_diagnosis diagnosis;

    larder_fit_diagnose(&heap, &diagnosis);
    *account = (struct heap_account){.capacity_bytes = diagnosis.capacity_bytes,
                                     .free_bytes = diagnosis.free_bytes,
                                     .largest_bytes = diagnosis.largest_free_bytes,
                                     .pieces = diagnosis.free_chunks};
}

const struct heap heap_region = {"region", take, resize, give, trim, account};
