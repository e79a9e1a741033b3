/* Events that name blocks by pointer: they come out with dense ids, and what the source has lost is
 * made good and counted. */
#include "lab_test.h"

#include "trace/order.h"

static struct temporary file;
static struct trace_writer *writer;
static struct trace_order *order;

static int setup(void **state) {
    (void)state;
    const struct trace_info info = {.program = ""};
    temporary_begin(&file);
    writer = trace_writer_open(file.path, &info);
    order = trace_order_make(writer);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    trace_order_free(order);
    temporary_end(&file);
    return 0;
}

static void put(enum trace_kind kind, uint32_t thread, uint64_t time_ns, uint64_t pointer,
                uint64_t old_pointer) {
    const struct trace_event event = {
        .kind = kind, .thread = thread, .time_ns = time_ns, .size_bytes = 8};
    trace_order_event(order, &event, pointer, old_pointer);
}

/* What was written is this: kind, thread, time, id. */
static void expect(const unsigned (*wanted)[4], size_t count) {
    struct trace_error error;
    struct trace_event event;
    assert_int_equal(trace_order_count(order), count);
    assert_true(trace_writer_close(writer));
    struct trace_reader *reader = trace_reader_open(file.path, &error);
    assert_non_null(reader);
    for (size_t i = 0; i < count; i++) {
        assert_true(trace_reader_next(reader, &event));
        assert_int_equal(event.kind, wanted[i][0]);
        assert_int_equal(event.thread, wanted[i][1]);
        assert_int_equal(event.time_ns, wanted[i][2]);
        assert_int_equal(event.id, wanted[i][3]);
    }
    assert_false(trace_reader_next(reader, &event));
    assert_null(trace_reader_error(reader));
    trace_reader_close(reader);
}

static void pointers_become_the_lowest_ids(void **state) {
    (void)state;
    put(TRACE_MALLOC, 900, 1, 0x1000, 0);
    put(TRACE_MALLOC, 900, 2, 0x2000, 0);
    put(TRACE_FREE, 300, 3, 0x1000, 0);
    put(TRACE_CALLOC, 900, 4, 0x3000, 0);
    put(TRACE_FREE_SIZED, 300, 5, 0x2000, 0);
    put(TRACE_RESIDENT, 300, 6, 0, 0);
    const unsigned wanted[][4] = {{TRACE_MALLOC, 0, 1, 0},     {TRACE_MALLOC, 0, 2, 1},
                                  {TRACE_FREE, 1, 3, 0},       {TRACE_CALLOC, 0, 4, 0},
                                  {TRACE_FREE_SIZED, 1, 5, 1}, {TRACE_RESIDENT, 1, 6, 0}};
    expect(wanted, COUNT(wanted));
}

static void a_block_keeps_its_id_when_it_moves(void **state) {
    (void)state;
    put(TRACE_MALLOC, 0, 1, 0x1000, 0);
    put(TRACE_REALLOC, 0, 2, 0x5000, 0x1000);
    put(TRACE_REALLOC, 0, 3, 0x5000, 0x5000);
    put(TRACE_MALLOC, 0, 4, 0x1000, 0);
    put(TRACE_FREE, 0, 5, 0x5000, 0);
    const unsigned wanted[][4] = {{TRACE_MALLOC, 0, 1, 0},
                                  {TRACE_REALLOC, 0, 2, 0},
                                  {TRACE_REALLOC, 0, 3, 0},
                                  {TRACE_MALLOC, 0, 4, 1},
                                  {TRACE_FREE, 0, 5, 0}};
    expect(wanted, COUNT(wanted));
}

static void a_free_that_was_lost_is_put_in(void **state) {
    (void)state;
    put(TRACE_MALLOC, 0, 1, 0x1000, 0);
    put(TRACE_MALLOC, 0, 2, 0x1000, 0);
    put(TRACE_MALLOC, 0, 3, 0x2000, 0);
    put(TRACE_REALLOC, 0, 4, 0x2000, 0x1000);
    assert_int_equal(trace_order_losses(order)->lost_frees, 2);
    const unsigned wanted[][4] = {{TRACE_MALLOC, 0, 1, 0}, {TRACE_FREE, 0, 2, 0},
                                  {TRACE_MALLOC, 0, 2, 0}, {TRACE_MALLOC, 0, 3, 1},
                                  {TRACE_FREE, 0, 4, 1},   {TRACE_REALLOC, 0, 4, 0}};
    expect(wanted, COUNT(wanted));
}

static void what_names_no_block_is_left_out(void **state) {
    (void)state;
    put(TRACE_FREE, 0, 1, 0x1000, 0);
    put(TRACE_REALLOC, 0, 2, 0x2000, 0x1000);
    put(TRACE_FREE, 0, 3, 0x2000, 0);
    put(TRACE_FREE, 0, 4, 0x2000, 0);
    assert_int_equal(trace_order_losses(order)->unknown_frees, 2);
    assert_int_equal(trace_order_losses(order)->unknown_reallocs, 1);
    const unsigned wanted[][4] = {{TRACE_MALLOC, 0, 2, 0}, {TRACE_FREE, 0, 3, 0}};
    expect(wanted, COUNT(wanted));
}

/* Fails iff a thread gets its number by an event that is left out: then the writer sees a gap. */
static void a_thread_is_numbered_by_what_is_written(void **state) {
    (void)state;
    put(TRACE_FREE, 5, 1, 0x1000, 0);
    put(TRACE_MALLOC, 6, 2, 0x2000, 0);
    put(TRACE_FREE, 5, 3, 0x2000, 0);
    const unsigned wanted[][4] = {{TRACE_MALLOC, 0, 2, 0}, {TRACE_FREE, 1, 3, 0}};
    expect(wanted, COUNT(wanted));
}

static void time_does_not_go_back(void **state) {
    (void)state;
    put(TRACE_MALLOC, 0, 7, 0x1000, 0);
    put(TRACE_MALLOC, 0, 5, 0x2000, 0);
    assert_int_equal(trace_order_losses(order)->times_back, 1);
    const unsigned wanted[][4] = {{TRACE_MALLOC, 0, 7, 0}, {TRACE_MALLOC, 0, 7, 1}};
    expect(wanted, COUNT(wanted));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pointers_become_the_lowest_ids),          TEST(a_block_keeps_its_id_when_it_moves),
        TEST(a_free_that_was_lost_is_put_in),          TEST(what_names_no_block_is_left_out),
        TEST(a_thread_is_numbered_by_what_is_written), TEST(time_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
