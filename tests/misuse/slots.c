/* Slots detached or emptied that are none, or none any more. */
#include "misuse.h"

static void detach(void *at) {
    larder_slot_detach(larder, at);
}

static void empty(void *at) {
    larder_reclaim_slot(larder, at);
}

static void expect_no_slot(enum larder_fatal_kind kind, void *at) {
    static void (*const calls[])(void *at) = {detach, empty};
    for (volatile unsigned i = 0; i < COUNT(calls); i++) {
        MISTAKE(kind, calls[i](at), BUG("slots: %s: " AT ": no slot is attached here"),
                larder_fatal_text(kind), number(at));
    }
}

/* Without the check in larder_slot_detach() its frames, somebody else's by now, are freed again. */
static void a_slot_detached_twice(void **state) {
    (void)state;
    struct larder_slot *const slot = sim_slot_of(sim, 0);
    sim_detach(sim, 0);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, slot);
    larder_reclaim(larder);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, slot);
    uint64_t address = larder_frames_address(larder, slot);
    assert_int_equal(larder_frames_reserve(larder, address, 2 * FRAME), LARDER_OK);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, slot);
    assert_int_equal(larder_frames_donate(larder, address, 2 * FRAME), LARDER_OK);
    assert_true(sim_attach(sim, 0));
}

static void what_is_no_slot(void **state) {
    (void)state;
    struct sim *other = sim_start(NULL);
    unsigned char *const mine = (unsigned char *)sim_slot_of(sim, 0);
    void *const frames = larder_frames_alloc(larder, 1, LARDER_ZERO);
    void *const object = larder_alloc(larder, 100);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, frames);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, object);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, mine + FRAME);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, mine + 1);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, mine + 8);
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, sim_pointer(sim, KERNEL_AT));
    expect_no_slot(LARDER_FATAL_DOUBLE_FREE, sim_pointer(sim, HOLE_AT));
    MISTAKE(LARDER_FATAL_FOREIGN_FREE, larder_slot_detach(larder, NULL),
            BUG("slots: free of foreign memory: no slot is attached here"));
    expect_no_slot(LARDER_FATAL_FOREIGN_FREE, &other);
    expect_no_slot(LARDER_FATAL_FOREIGN_FREE, sim_slot_of(other, 0));
    larder_free(larder, object);
    larder_frames_free(larder, frames);
    sim_stop(other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_slot_detached_twice),
        CASE(what_is_no_slot),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
