/* Locks with ranks: they exclude, enter the slot, and with assertions find every kind of misuse. */
#include "harness.h"

#include "lock.h"

static struct sim *sim;
static struct lock_book book;
static struct lock low, high;

static int setup(void **state) {
    (void)state;
    sim = sim_start(&(struct sim_config){.cpus = 2});
    assert_non_null(sim->larder);
    memset(&book, 0, sizeof book);
    lock_book_init(&book, sim->larder);
    lock_init(&low, LOCK_RANK_REGISTRY, &book);
    lock_init(&high, LOCK_RANK_AREA, &book);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sim_reset();
    sim_stop(sim);
    return 0;
}

static void a_new_lock_is_free(void **state) {
    (void)state;
    assert_false(larder_port_lock_is_held(&low.port));
    lock_acquire(&low);
    assert_true(larder_port_lock_is_held(&low.port));
    lock_release(&low);
    assert_false(larder_port_lock_is_held(&low.port));
}

static void a_lock_enters_the_slot(void **state) {
    (void)state;
    lock_acquire(&low);
    assert_int_equal(larder_port_slot_enter(), 1);
    larder_port_slot_leave(1);
    lock_release(&low);
    assert_int_equal(larder_port_slot_enter(), 0);
    larder_port_slot_leave(0);
}

static void ascending_ranks_nest(void **state) {
    (void)state;
    for (int round = 0; round < 3; round++) {
        lock_acquire(&low);
        lock_acquire(&high);
        lock_assert_held(&low);
        lock_assert_held(&high);
        lock_release(&high);
        lock_release(&low);
    }
    sim_validate(sim);
}

static unsigned inside, worst;

static void use(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++) {
        lock_acquire(&low);
        inside++;
        worst = inside > worst ? inside : worst;
        sim_yield();
        inside--;
        lock_release(&low);
    }
}

static void nothing(void *context) {
    (void)context;
}

static void one_at_a_time_and_no_interrupt_inside(void **state) {
    (void)state;
    const struct sim_race race = {
        .name = "lock", .cpus = 2, .prepare = nothing, .body = {use, use}, .interrupt = use};
    worst = 0;
    sim_play_all(&race, 2, 20000);
    sim_play_random(&race, harness_seed(), 2000);
    assert_int_equal(worst, 1);
}

#if LARDER_ASSERTIONS

static void descending_ranks_are_fatal(void **state) {
    (void)state;
    lock_acquire(&high);
    sim_expect_fatal(LARDER_FATAL_LOCK, lock_acquire(&low));
    assert_string_equal(sim_fatal_last.detail,
                        "taken while a lock of the same or a higher rank is held");
}

static void twice_is_fatal(void **state) {
    (void)state;
    lock_acquire(&low);
    sim_expect_fatal(LARDER_FATAL_LOCK, lock_acquire(&low));
}

static void release_by_another_is_fatal(void **state) {
    (void)state;
    lock_acquire(&low);
    sim_be(1);
    uintptr_t entered = larder_port_slot_enter();
    sim_expect_fatal(LARDER_FATAL_LOCK, lock_release(&low));
    assert_string_equal(sim_fatal_last.detail, "released by who does not hold it");
    assert_int_equal(entered, 0);
}

static void missing_is_fatal(void **state) {
    (void)state;
    uintptr_t entered = larder_port_slot_enter();
    sim_expect_fatal(LARDER_FATAL_LOCK, lock_assert_held(&low));
    assert_string_equal(sim_fatal_last.detail, "needed but not held");
    assert_int_equal(entered, 0);
    lock_acquire(&low);
    sim_be(1);
    entered = larder_port_slot_enter();
    sim_expect_fatal(LARDER_FATAL_LOCK, lock_assert_held(&low));
}

static void without_a_slot_locks_still_work(void **state) {
    (void)state;
    sim_be(7);
    lock_acquire(&low);
    lock_assert_held(&low);
    lock_acquire(&high);
    lock_release(&high);
    lock_release(&low);
    sim_be(0);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_lock_is_free, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lock_enters_the_slot, setup, teardown),
        cmocka_unit_test_setup_teardown(ascending_ranks_nest, setup, teardown),
        cmocka_unit_test_setup_teardown(one_at_a_time_and_no_interrupt_inside, setup, teardown),
#if LARDER_ASSERTIONS
        cmocka_unit_test_setup_teardown(descending_ranks_are_fatal, setup, teardown),
        cmocka_unit_test_setup_teardown(twice_is_fatal, setup, teardown),
        cmocka_unit_test_setup_teardown(release_by_another_is_fatal, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_is_fatal, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_slot_locks_still_work, setup, teardown),
#endif
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
