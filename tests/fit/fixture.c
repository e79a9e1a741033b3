/* fixture.c: see fixture.h. */
#include "fixture.h"

_Alignas(4096) unsigned char fixture_memory[FIXTURE_BYTES];
struct larder_fit heap;
struct larder_fit_region region;
enum larder_fit_policy fixture_policy;

bool fixture_has(enum larder_fit_policy policy) {
    return (LARDER_FIT_POLICIES & (1 << policy)) != 0;
}

void fixture_make(enum larder_fit_policy policy) {
    fixture_policy = policy;
    EXPECT(larder_fit_init(&heap, policy));
    EXPECT(larder_fit_add_region(&heap, &region, fixture_memory, sizeof fixture_memory, 1, 0) > 0);
}

void fixture_each(void (*body)(void)) {
    for (unsigned i = 0; i < LARDER_FIT_POLICY_COUNT; i++) {
        if (fixture_has((enum larder_fit_policy)i)) {
            fixture_make((enum larder_fit_policy)i);
            body();
        }
    }
}

size_t fixture_largest(void) {
    struct larder_fit_diagnosis figures;
    larder_fit_diagnose(&heap, &figures);
    return figures.largest_free_bytes;
}

void fixture_sound(void) {
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_SOUND);
}

void fixture_in_a_row(unsigned char *at[4], size_t bytes) {
    for (unsigned i = 0; i < 4; i++) {
        at[i] = larder_fit_alloc(&heap, bytes);
        EXPECT(at[i] != NULL && (i == 0 || at[i] > at[i - 1]));
        memset(at[i], 'a' + (int)i, bytes);
    }
}
