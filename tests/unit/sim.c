/* The simulated home itself: what it promises to find, it finds; what it promises to run, it runs.
 */
#include "harness.h"

#include "larder/port.h"

#include <signal.h>
#include <stdatomic.h>

/* ---- Reports ---- */

static char report[2048];
static jmp_buf back;

static void keep_report(const char *message) {
    snprintf(report, sizeof report, "%s", message);
    longjmp(back, 1);
}

/* The statement must be reported as a failure whose text has this part. */
#define EXPECT_REPORT(part, statement)                                                             \
    do {                                                                                           \
        void (*outer)(const char *) = sim_failed;                                                  \
        report[0] = '\0';                                                                          \
        sim_failed = keep_report;                                                                  \
        if (setjmp(back) == 0) {                                                                   \
            statement;                                                                             \
        }                                                                                          \
        sim_failed = outer;                                                                        \
        sim_reset();                                                                               \
        if (!strstr(report, part)) {                                                               \
            fail_msg("report \"%s\" does not say \"%s\"", report, part);                           \
        }                                                                                          \
    } while (0)

/* ---- A race of two counters under a lock ---- */

static larder_port_lock_t lock_a, lock_b;
static unsigned counter, order[16], order_count;
static bool with_lock;

static void prepare(void *context) {
    (void)context;
    counter = order_count = 0;
    atomic_store(&lock_a.holder, 0);
    atomic_store(&lock_b.holder, 0);
}

static void increment(void *context) {
    (void)context;
    uintptr_t state = larder_port_slot_enter();
    if (with_lock) {
        larder_port_lock_acquire(&lock_a);
    }
    unsigned read = counter;
    sim_yield();
    counter = read + 1;
    order[order_count++] = sim_cpu();
    if (with_lock) {
        larder_port_lock_release(&lock_a);
    }
    larder_port_slot_leave(state);
}

static void check_two(void *context) {
    (void)context;
    sim_check(counter == 2);
}

static const struct sim_race counting = {
    .name = "counting",
    .cpus = 2,
    .prepare = prepare,
    .body = {increment, increment},
    .check = check_two,
};

static void without_its_lock_a_counter_is_wrong(void **state) {
    (void)state;
    with_lock = false;
    EXPECT_REPORT("counter == 2", sim_play_all(&counting, 1, 1000));
    assert_non_null(strstr(report, "to CPU 1 at "));
    EXPECT_REPORT("seed 7, round", sim_play_random(&counting, 7, 100));
    EXPECT_REPORT("counter == 2", sim_play(&counting, "0 yield; 1 end; 0 end"));
}

static void with_its_lock_it_is_right(void **state) {
    (void)state;
    with_lock = true;
    assert_true(sim_play_all(&counting, 3, 100000) > 100);
    sim_play_random(&counting, 7, 1000);
    sim_play(&counting, "0 taken; 1 end; 0 end");
}

static void a_script_decides_who_is_first(void **state) {
    (void)state;
    with_lock = true;
    sim_play(&counting, "1 end; 0 end");
    assert_int_equal(order[0], 1);
    sim_play(&counting, "0 acquire; 1 release; 0 end; 1 end");
    assert_int_equal(order[0], 1);
    sim_play(&counting, "0 taken; 1 end");
    assert_int_equal(order[0], 0);
}

static void a_script_that_does_not_fit_fails(void **state) {
    (void)state;
    with_lock = true;
    EXPECT_REPORT("ended before", sim_play(&counting, "0 release 2; 1 end"));
    EXPECT_REPORT("no event", sim_play(&counting, "0 sleep"));
    EXPECT_REPORT("cannot read", sim_play(&counting, "now"));
    EXPECT_REPORT("ended before", sim_play(&counting, "0 trace split"));
}

/* ---- Deadlocks ---- */

static void take_a_b(void *context) {
    (void)context;
    uintptr_t state = larder_port_slot_enter();
    larder_port_lock_acquire(&lock_a);
    larder_port_lock_acquire(&lock_b);
    larder_port_lock_release(&lock_b);
    larder_port_lock_release(&lock_a);
    larder_port_slot_leave(state);
}

static void take_b_a(void *context) {
    (void)context;
    uintptr_t state = larder_port_slot_enter();
    larder_port_lock_acquire(&lock_b);
    larder_port_lock_acquire(&lock_a);
    larder_port_lock_release(&lock_a);
    larder_port_lock_release(&lock_b);
    larder_port_slot_leave(state);
}

static void opposite_orders_deadlock(void **state) {
    (void)state;
    const struct sim_race race = {
        .name = "abba", .cpus = 2, .prepare = prepare, .body = {take_a_b, take_b_a}};
    sim_play(&race, "0 end; 1 end");
    EXPECT_REPORT("deadlock", sim_play(&race, "0 taken; 1 taken; 0 end"));
    EXPECT_REPORT("deadlock", sim_play_all(&race, 2, 10000));
    EXPECT_REPORT("deadlock", sim_play_random(&race, 1, 1000));
}

static void plain_lock(void *context) {
    (void)context;
    larder_port_lock_acquire(&lock_a);
    sim_yield();
    larder_port_lock_release(&lock_a);
}

static void an_interrupt_finds_a_plain_lock(void **state) {
    (void)state;
    struct sim_race race = {.name = "plain lock",
                            .cpus = 1,
                            .prepare = prepare,
                            .body = {plain_lock},
                            .interrupt = take_a_b};
    EXPECT_REPORT("self-deadlock", sim_play_all(&race, 1, 1000));
    EXPECT_REPORT("in an interrupt", sim_play(&race, "0 taken; 0 irq; 0 end"));
    race.body[0] = take_a_b;
    sim_play_all(&race, 2, 1000);
    race.interrupt = NULL;
    race.body[0] = plain_lock;
    EXPECT_REPORT("without its slot", sim_play(&race, "0 end"));
}

static void wait_for_two(void *context) {
    (void)context;
    while (counter < 2) {
        larder_port_relax();
    }
}

static void waiting_for_nobody_is_a_livelock(void **state) {
    (void)state;
    struct sim_race race = {
        .name = "wait", .cpus = 2, .prepare = prepare, .body = {wait_for_two, increment}};
    EXPECT_REPORT("livelock", sim_play(&race, "0 relax; 1 end"));
    race.cpus = 3;
    race.body[2] = increment;
    with_lock = true;
    sim_play_all(&race, 2, 10000);
}

/* ---- Misuse of the port ---- */

static void misuse_of_locks_and_slots(void **state) {
    (void)state;
    prepare(NULL);
    EXPECT_REPORT("without its slot", larder_port_lock_acquire(&lock_a));
    EXPECT_REPORT("does not hold", larder_port_lock_release(&lock_a));
    EXPECT_REPORT("leaves its slot", larder_port_slot_leave(0));
    EXPECT_REPORT("locks held", {
        uintptr_t entered = larder_port_slot_enter();
        larder_port_lock_acquire(&lock_a);
        larder_port_slot_leave(entered);
    });
    EXPECT_REPORT("self-deadlock", {
        larder_port_slot_enter();
        larder_port_lock_acquire(&lock_a);
        larder_port_lock_acquire(&lock_a);
    });
    EXPECT_REPORT("which does not run", {
        larder_port_slot_enter();
        larder_port_lock_acquire(&lock_a);
        sim_be(1);
        larder_port_slot_enter();
        larder_port_lock_acquire(&lock_a);
    });
    EXPECT_REPORT("with a lock held", {
        larder_port_slot_enter();
        larder_port_lock_acquire(&lock_a);
        larder_port_reserve(FRAME, FRAME);
    });
    EXPECT_REPORT("without entering", larder_port_slot(NULL));
}

/* ---- Memory ---- */

static sigjmp_buf crashed;

static void on_crash(int number) {
    (void)number;
    siglongjmp(crashed, 1);
}

static bool write_crashes(unsigned char *at) {
    struct sigaction action = {.sa_handler = on_crash}, old;
    sigaction(SIGSEGV, &action, &old);
    bool crash = sigsetjmp(crashed, 1) != 0;
    if (!crash) {
        *(volatile unsigned char *)at = 1;
    }
    sigaction(SIGSEGV, &old, NULL);
    return crash;
}

static void only_committed_memory_can_be_written(void **state) {
    (void)state;
    sim_page_bytes_set(4096);
    unsigned char *memory = larder_port_reserve(GIB, 2 * MIB);
    assert_int_equal((uintptr_t)memory % (2 * MIB), 0);
    assert_int_equal(memory[GIB - 1], 0);
    assert_true(write_crashes(memory));
    assert_true(larder_port_commit(memory + 4000, 200));
    assert_int_equal(sim_committed_bytes(), 8192);
    assert_false(write_crashes(memory));
    assert_false(write_crashes(memory + 8191));
    assert_true(write_crashes(memory + 8192));
    memory[5000] = 42;
    assert_true(larder_port_commit(memory + 4096, 8192));
    assert_int_equal(memory[5000], 42);
    assert_int_equal(sim_committed_bytes(), 12288);
    EXPECT_REPORT("not inside", larder_port_commit(memory + GIB - 1, 2));
    EXPECT_REPORT("not a whole", larder_port_release(memory, MIB));
    larder_port_release(memory, GIB);
    assert_int_equal(sim_committed_bytes(), 0);
}

static void the_nth_call_fails(void **state) {
    (void)state;
    sim_sites_reset();
    sim_fail_nth(2);
    assert_false(larder_port_should_fail("a"));
    assert_true(larder_port_should_fail("b"));
    assert_true(sim_fail_happened());
    assert_false(larder_port_should_fail("a"));
    sim_fail_nth_of("b", 2);
    assert_false(larder_port_should_fail("a"));
    assert_false(larder_port_should_fail("b"));
    assert_false(larder_port_should_fail("a"));
    assert_true(larder_port_should_fail("b"));
    sim_fail_from(2);
    assert_false(larder_port_should_fail("a"));
    assert_true(larder_port_should_fail("a"));
    assert_true(larder_port_should_fail("a"));
    assert_null(larder_port_reserve(FRAME, FRAME));
    sim_fail_off();
    assert_false(larder_port_should_fail("a"));
    assert_int_equal(sim_sites(), 3);
    assert_string_equal(sim_site_name(0), "a");
    assert_int_equal(sim_site_calls(0), 8);
    assert_string_equal(sim_site_name(2), "reserve");
    assert_null(sim_site_name(3));
}

static void the_clock_is_the_tests(void **state) {
    (void)state;
    sim_clock_set(1000);
    assert_int_equal(larder_port_clock_ms(), 1000);
    sim_clock_advance(234);
    assert_int_equal(larder_port_clock_ms(), 1234);
    assert_true(larder_port_entropy() != larder_port_entropy());
}

/* ---- Fatals ---- */

static void raise_fatal(enum larder_fatal_kind kind) {
    struct larder_fatal fatal = {.kind = kind, .owner = "owner", .detail = "detail"};
    larder_port_fatal(&fatal);
}

static void fatals_are_expected_or_failures(void **state) {
    (void)state;
    sim_expect_fatal(LARDER_FATAL_CORRUPT, raise_fatal(LARDER_FATAL_CORRUPT));
    assert_string_equal(sim_fatal_last.owner, "owner");
    EXPECT_REPORT("fatal: corrupt", raise_fatal(LARDER_FATAL_CORRUPT));
    EXPECT_REPORT("got \"corrupt\"",
                  sim_expect_fatal(LARDER_FATAL_POISON, raise_fatal(LARDER_FATAL_CORRUPT)));
    EXPECT_REPORT("but it returned", sim_expect_fatal(LARDER_FATAL_POISON, (void)0));
}

static void a_fatal_in_a_schedule_names_it(void **state) {
    (void)state;
    const struct sim_race race = {.name = "fatal",
                                  .cpus = 2,
                                  .prepare = prepare,
                                  .body = {increment, (void (*)(void *))take_a_b},
                                  .check = check_two};
    with_lock = true;
    EXPECT_REPORT("race fatal, schedule [0 end, at step 2]", sim_play(&race, "0 end"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_its_lock_a_counter_is_wrong),
        cmocka_unit_test(with_its_lock_it_is_right),
        cmocka_unit_test(a_script_decides_who_is_first),
        cmocka_unit_test(a_script_that_does_not_fit_fails),
        cmocka_unit_test(opposite_orders_deadlock),
        cmocka_unit_test(an_interrupt_finds_a_plain_lock),
        cmocka_unit_test(waiting_for_nobody_is_a_livelock),
        cmocka_unit_test(misuse_of_locks_and_slots),
        cmocka_unit_test(only_committed_memory_can_be_written),
        cmocka_unit_test(the_nth_call_fails),
        cmocka_unit_test(the_clock_is_the_tests),
        cmocka_unit_test(fatals_are_expected_or_failures),
        cmocka_unit_test(a_fatal_in_a_schedule_names_it),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
