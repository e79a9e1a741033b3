/* Traps 12 and 36: every size of a region from 0 to 4,096 bytes, from every address modulo the
 * alignment, and larder_fit_create() in the same. The memory ends where the region does. */
#include "tap.h"

#include "chunk.h"

#include <stdlib.h>

#define SIZE_MOST 4096u
#ifndef SIZES_STEP
#define SIZES_STEP 1u
#endif

/* What must be left over for a chunk, by a count of our own. */
static size_t expected(uintptr_t start, size_t bytes) {
    uintptr_t first = start;
    while ((first + FIT_HEAD) % FIT_ALIGN != 0) {
        first++;
    }
    size_t chunk = 0;
    while (first + chunk + FIT_ALIGN + FIT_HEAD <= start + bytes) {
        chunk += FIT_ALIGN;
    }
    return chunk >= FIT_MIN ? chunk - FIT_HEAD - FIT_TAIL : 0;
}

/* As many small objects as fit, each written to its end; every other one goes back first. */
static void fill_and_empty(struct larder_fit *heap, size_t largest) {
    static unsigned char *held[SIZE_MOST / 16];
    size_t count = 0, total = 0;
    while ((held[count] = larder_fit_alloc(heap, 1 + count % 40)) != NULL) {
        memset(held[count], (int)count, 1 + count % 40);
        total += 1 + count % 40;
        count++;
    }
    EXPECT(count > 0 && total <= largest);
    EXPECT(larder_fit_check(heap, NULL) == LARDER_FIT_SOUND);
    for (size_t i = 0; i < count; i += 2) {
        larder_fit_free(heap, held[i]);
    }
    for (size_t i = 1; i < count; i += 2) {
        larder_fit_free(heap, held[i]);
    }
    EXPECT(larder_fit_check(heap, NULL) == LARDER_FIT_SOUND);
}

static void use(struct larder_fit *heap, size_t largest) {
    void *all = larder_fit_alloc(heap, largest);
    EXPECT(all != NULL && larder_fit_alloc(heap, 1) == NULL);
    memset(all, 0x55, largest);
    larder_fit_free(heap, all);
    EXPECT(larder_fit_alloc(heap, largest + 1) == NULL);
    fill_and_empty(heap, largest);
    all = larder_fit_aligned(heap, 2 * FIT_ALIGN, 1);
    EXPECT(all == NULL || (uintptr_t)all % (2 * FIT_ALIGN) == 0);
    larder_fit_free(heap, all);
    all = larder_fit_alloc(heap, largest);
    EXPECT(all != NULL);
    larder_fit_free(heap, all);
}

static void one_region(unsigned char *memory, size_t bytes, enum larder_fit_policy policy) {
    struct larder_fit heap;
    struct larder_fit_region region;
    if (!larder_fit_init(&heap, policy)) {
        return;
    }
    size_t largest = larder_fit_add_region(&heap, &region, memory, bytes, 0, 0);
    EXPECT(largest == expected((uintptr_t)memory, bytes));
    if (largest == 0) {
        EXPECT(heap.regions == NULL && heap.free_bytes == 0 && larder_fit_alloc(&heap, 1) == NULL);
        return;
    }
    EXPECT(region.first >= memory && region.end + FIT_HEAD <= memory + bytes);
    use(&heap, largest);
}

static void one_create(unsigned char *memory, size_t bytes, enum larder_fit_policy policy) {
    struct larder_fit *heap = larder_fit_create(memory, bytes, policy);
    if (heap == NULL) {
        EXPECT(bytes < sizeof *heap + sizeof(struct larder_fit_region) + FIT_MIN + 2 * FIT_HEAD +
                           4 * FIT_ALIGN ||
               !larder_fit_init(&(struct larder_fit){0}, policy));
        return;
    }
    EXPECT((unsigned char *)heap >= memory);
    use(heap, heap->free_bytes - FIT_HEAD - FIT_TAIL);
}

static void every_size(void (*test)(unsigned char *, size_t, enum larder_fit_policy),
                       enum larder_fit_policy policy, size_t step) {
    for (size_t bytes = 0; bytes <= SIZE_MOST; bytes += step) {
        for (size_t offset = 0; offset < FIT_ALIGN; offset++) {
            /* From malloc, so that the sanitizer sees a byte too far at both ends. */
            unsigned char *block = malloc(bytes + offset + 1);
            test(block + offset, bytes, policy);
            free(block);
        }
    }
}

static void every_size_and_start_of_a_region(void) {
    for (unsigned policy = 0; policy < LARDER_FIT_POLICY_COUNT; policy++) {
        every_size(one_region, (enum larder_fit_policy)policy, SIZES_STEP);
    }
}

static void every_size_and_start_of_a_heap_in_its_region(void) {
    for (unsigned policy = 0; policy < LARDER_FIT_POLICY_COUNT; policy++) {
        every_size(one_create, (enum larder_fit_policy)policy, 7 * SIZES_STEP);
    }
}

/* From 64 bytes on: what the smallest region can hold. */
static void sixty_four_bytes_are_a_region(void) {
    static _Alignas(64) unsigned char memory[64];
    struct larder_fit heap;
    struct larder_fit_region region;
    enum larder_fit_policy policy = LARDER_FIT_FIRST;
    while (!larder_fit_init(&heap, policy)) {
        policy = (enum larder_fit_policy)(policy + 1);
    }
    size_t largest = larder_fit_add_region(&heap, &region, memory, sizeof memory, 0, 0);
    EXPECT(FIT_MIN + 2 * FIT_HEAD > 64 || FIT_ALIGN > 16 ||
           largest >= FIT_MIN - FIT_HEAD - FIT_TAIL);
    EXPECT(largest < sizeof memory);
}

static const struct tap_test tests[] = {TAP_TEST(every_size_and_start_of_a_region),
                                        TAP_TEST(every_size_and_start_of_a_heap_in_its_region),
                                        TAP_TEST(sixty_four_bytes_are_a_region)};

TAP_MAIN(tests)
