/* Traces as files: what is written is read back; what is damaged is an error with its offset, and
 * what came before it is good. */
#include "lab_test.h"

#include "trace/block.h"
#include "trace/columns.h"
#include "trace/id_set.h"
#include "trace/kinds.h"
#include "trace/varint.h"
#include "trace/writer.h"

#include <fcntl.h>
#include <unistd.h>

enum { COUNT_SMALL = 400, COUNT_LARGE = 200000 };

static struct temporary file;
static const char *const path = file.path;

static int setup(void **state) {
    (void)state;
    temporary_begin(&file);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    temporary_end(&file);
    return 0;
}

static const struct trace_info described = {.program = "true --never",
                                            .recorded_by = "a test",
                                            .note = "all made up: \xc3\xa4",
                                            .page_bytes = 16384,
                                            .pid = 4711,
                                            .start_unix_ms = 1700000000123,
                                            .has_time = true,
                                            .has_sites = true};

/* ---- Made-up events -------------------------------------------------------------------------- */

struct maker {
    uint64_t random, time_ns;
    struct id_set live;
    uint32_t ids[COUNT_LARGE]; /* the live ones */
    uint32_t count_live, count_threads, count_sites;
};

static struct maker maker;

static void make_block(struct trace_event *event) {
    event->id = id_set_lowest(&maker.live);
    id_set_add(&maker.live, event->id);
    maker.ids[maker.count_live++] = event->id;
}

static void name_block(struct trace_event *event, bool ends) {
    const uint32_t at = (uint32_t)(random_next(&maker.random) % maker.count_live);
    event->id = maker.ids[at];
    if (ends) {
        id_set_remove(&maker.live, event->id);
        maker.ids[at] = maker.ids[--maker.count_live];
    }
}

static struct trace_event make_event(void) {
    uint64_t *random = &maker.random;
    struct trace_event event = {.kind = (enum trace_kind)(random_next(random) % COUNT_TRACE_KINDS)};
    if (maker.count_live == 0 && (trace_kinds[event.kind].has & KIND_NAMES_ID))
        event.kind = TRACE_MALLOC;
    const unsigned has = trace_kinds[event.kind].has;
    event.time_ns = maker.time_ns += random_next(random) % 5 ? random_next(random) % 300 : 0;
    event.thread = (uint32_t)(random_next(random) % (maker.count_threads + 1));
    maker.count_threads += event.thread == maker.count_threads && maker.count_threads < 5;
    event.thread -= event.thread == 5;
    if (has & KIND_MAKES_ID)
        make_block(&event);
    if (has & KIND_NAMES_ID)
        name_block(&event, (has & KIND_ENDS_ID) != 0);
    if (has & KIND_HAS_SIZE)
        event.size_bytes = random_next(random) >> random_next(random) % 64;
    if (has & KIND_HAS_ALIGN)
        event.align_bytes = random_next(random) % 3 ? (uint64_t)1 << random_next(random) % 64 : 0;
    if (has & KIND_HAS_SITE)
        event.site = (uint32_t)(random_next(random) % (maker.count_sites + 1));
    return event;
}

static void maker_begin(uint64_t seed) {
    id_set_free(&maker.live);
    memset(&maker, 0, sizeof maker);
    maker.random = seed;
}

/* Every now and then a new site: n frames, all different but for their module. */
static uint32_t make_site(struct trace_writer *writer) {
    struct trace_frame frames[4];
    char names[4][32];
    const uint32_t number = maker.count_sites + 1, count = number % 5;
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "function<%u, %u>", number, i);
        frames[i] =
            (struct trace_frame){0x1000u * number + i, names[i], i ? "file.c" : "", i, "app"};
    }
    assert_int_equal(trace_writer_site(writer, frames, count), number);
    return maker.count_sites = number;
}

static void expect_site(const struct trace_reader *reader, uint32_t number) {
    const struct trace_frame *frames;
    char name[32];
    assert_int_equal(trace_site(reader, number, &frames), number % 5);
    for (uint32_t i = 0; i < number % 5; i++) {
        (void)snprintf(name, sizeof name, "function<%u, %u>", number, i);
        assert_int_equal(frames[i].address, 0x1000u * number + i);
        assert_string_equal(frames[i].function, name);
        assert_string_equal(frames[i].file, i ? "file.c" : "");
        assert_int_equal(frames[i].line, i);
        assert_string_equal(frames[i].module, "app");
    }
}

static void write_events(uint64_t seed, uint32_t count, uint32_t site_every, uint32_t flush_every) {
    struct trace_writer *writer = trace_writer_open(path, &described);
    assert_non_null(writer);
    maker_begin(seed);
    for (uint32_t i = 0; i < count; i++) {
        if (i % site_every == 0)
            (void)make_site(writer);
        const struct trace_event event = make_event();
        trace_writer_event(writer, &event);
        if (flush_every && i % flush_every == 0)
            trace_writer_flush(writer);
    }
    assert_true(trace_writer_close(writer));
}

static bool is_same(const struct trace_event *a, const struct trace_event *b) {
    return a->kind == b->kind && a->thread == b->thread && a->site == b->site && a->id == b->id &&
           a->time_ns == b->time_ns && a->size_bytes == b->size_bytes &&
           a->align_bytes == b->align_bytes;
}

/* Read whatever can be read: each event is the one that was made. Their number. */
static uint32_t read_prefix(struct trace_reader *reader, uint64_t seed, uint32_t site_every) {
    struct trace_event event;
    uint32_t count = 0;
    maker_begin(seed);
    for (; trace_reader_next(reader, &event); count++) {
        if (count % site_every == 0)
            maker.count_sites++;
        const struct trace_event made = make_event();
        assert_true(is_same(&event, &made));
        assert_true(event.site <= trace_site_count(reader));
    }
    assert_false(trace_reader_next(reader, &event));
    return count;
}

/* ---- What is written is read back ------------------------------------------------------------ */

static void all_that_was_written_is_read(void **state) {
    (void)state;
    struct trace_error error;
    write_events(1, COUNT_LARGE, 100, 0);
    struct trace_reader *reader = trace_reader_open(path, &error);
    assert_non_null(reader);
    const struct trace_info *info = trace_reader_info(reader);
    assert_int_equal(info->count_events, COUNT_LARGE);
    assert_int_equal(info->end_time_ns, maker.time_ns);
    assert_int_equal(info->count_ids, maker.live.count_ids);
    assert_int_equal(read_prefix(reader, 1, 100), COUNT_LARGE);
    assert_null(trace_reader_error(reader));
    assert_int_equal(trace_reader_offset(reader), info->file_bytes);
    assert_int_equal(trace_site_count(reader), COUNT_LARGE / 100);
    for (uint32_t site = 1; site <= COUNT_LARGE / 100; site++)
        expect_site(reader, site);
    trace_reader_close(reader);
}

static void what_it_says_of_itself_is_read(void **state) {
    (void)state;
    struct trace_error error;
    const struct trace_frame *frames;
    write_events(2, 0, 1, 0);
    struct trace_reader *reader = trace_reader_open(path, &error);
    assert_non_null(reader);
    const struct trace_info *info = trace_reader_info(reader);
    assert_string_equal(info->program, described.program);
    assert_string_equal(info->recorded_by, described.recorded_by);
    assert_string_equal(info->note, described.note);
    assert_int_equal(info->page_bytes, described.page_bytes);
    assert_int_equal(info->pid, described.pid);
    assert_int_equal(info->start_unix_ms, described.start_unix_ms);
    assert_true(info->has_time && info->has_sites && !info->has_threads);
    assert_int_equal(read_prefix(reader, 2, 1), 0);
    assert_null(trace_reader_error(reader));
    assert_int_equal(trace_site(reader, 0, &frames), 0);
    assert_int_equal(trace_site(reader, 99, &frames), 0);
    trace_reader_close(reader);
}

static void what_was_flushed_can_be_read_at_once(void **state) {
    (void)state;
    struct trace_error error;
    struct trace_writer *writer = trace_writer_open(path, &described);
    maker_begin(3);
    for (uint32_t i = 0; i < 10; i++) {
        const struct trace_event event = make_event();
        trace_writer_event(writer, &event);
        trace_writer_flush(writer);
        struct trace_reader *reader = trace_reader_open(path, &error);
        assert_non_null(reader);
        struct trace_event read;
        uint32_t count = 0;
        while (trace_reader_next(reader, &read))
            count++;
        assert_int_equal(count, i + 1);
        assert_true(is_same(&read, &event));
        assert_non_null(strstr(trace_reader_error(reader)->what, "without an end mark"));
        assert_int_equal(trace_reader_info(reader)->count_events, 0);
        trace_reader_close(reader);
    }
    assert_true(trace_writer_close(writer));
}

static void a_full_disk_is_an_error(void **state) {
    (void)state;
    struct trace_writer *writer = trace_writer_open("/dev/full", &described);
    assert_non_null(writer);
    assert_false(trace_writer_close(writer));
    assert_null(trace_writer_open("/nowhere/at/all", &described));
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static uint8_t *read_file(size_t *bytes) {
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    (void)fseek(stream, 0, SEEK_END);
    *bytes = (size_t)ftell(stream);
    (void)fseek(stream, 0, SEEK_SET);
    uint8_t *content = malloc(*bytes);
    assert_int_equal(fread(content, 1, *bytes, stream), *bytes);
    (void)fclose(stream);
    return content;
}

static void write_file(const uint8_t *content, size_t bytes) {
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(content, 1, bytes, stream), bytes);
    (void)fclose(stream);
}

/* Reads what is good, then an error whose offset is in the file. Events read. */
static uint32_t expect_damage(uint64_t bytes) {
    struct trace_error error;
    struct trace_reader *reader = trace_reader_open(path, &error);
    if (!reader) {
        assert_true(error.offset <= bytes && error.what[0]);
        return 0;
    }
    const uint32_t count = read_prefix(reader, 5, 50);
    assert_non_null(trace_reader_error(reader));
    assert_true(trace_reader_error(reader)->offset <= bytes);
    assert_true(trace_reader_error(reader)->what[0] != '\0');
    trace_reader_close(reader);
    return count;
}

static void a_file_cut_anywhere_is_read_up_to_there(void **state) {
    (void)state;
    size_t bytes;
    write_events(5, COUNT_SMALL, 50, 100);
    uint8_t *content = read_file(&bytes);
    uint32_t before = 0;
    for (size_t cut = 0; cut < bytes; cut++) {
        write_file(content, cut);
        const uint32_t count = expect_damage(cut);
        assert_true(count >= before);
        before = count;
    }
    assert_int_equal(before, COUNT_SMALL);
    free(content);
}

static void a_byte_changed_anywhere_is_found(void **state) {
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0xff};
    size_t bytes;
    write_events(5, COUNT_SMALL, 50, 100);
    uint8_t *content = read_file(&bytes);
    for (size_t at = 0; at < bytes; at++) {
        for (size_t i = 0; i < COUNT(changes); i++) {
            content[at] ^= changes[i];
            write_file(content, bytes);
            (void)expect_damage(bytes);
            content[at] ^= changes[i];
        }
    }
    free(content);
}

static void what_is_behind_the_end_is_an_error(void **state) {
    (void)state;
    size_t bytes;
    write_events(5, COUNT_SMALL, 50, 0);
    uint8_t *content = read_file(&bytes);
    content = realloc(content, bytes + 1);
    content[bytes] = 0;
    write_file(content, bytes + 1);
    assert_int_equal(expect_damage(bytes + 1), COUNT_SMALL);
    free(content);
}

static void another_version_is_named(void **state) {
    (void)state;
    struct trace_error error;
    size_t bytes;
    write_events(5, 1, 1, 0);
    uint8_t *content = read_file(&bytes);
    content[8] = 7;
    write_file(content, bytes);
    assert_null(trace_reader_open(path, &error));
    assert_string_equal(error.what, "version 7 of the format; this reader knows version 1");
    assert_int_equal(error.offset, 8);
    assert_null(trace_reader_open("/tmp", &error));
    assert_string_equal(error.what, "Is a directory");
    assert_null(trace_reader_open("/nowhere", &error));
    free(content);
}

/* ---- Lies with a right checksum ---------------------------------------------------------------
 */

/* A block of events made of whole columns; a number below 0 ends a column. */
struct lie {
    const char *what;
    uint64_t count, time_ns;
    int64_t columns[COUNT_COLUMNS][8];
};

static size_t put_columns(const struct lie *lie, uint8_t *raw) {
    static uint8_t columns[COUNT_COLUMNS][128];
    uint8_t *at = varint_put(varint_put(raw, lie->count), lie->time_ns);
    size_t lengths[COUNT_COLUMNS];
    for (int column = 0; column < COUNT_COLUMNS; column++) {
        uint8_t *end = columns[column];
        for (int i = 0; lie->columns[column][i] >= 0; i++)
            end = varint_put(end, (uint64_t)lie->columns[column][i]);
        lengths[column] = (size_t)(end - columns[column]);
        at = varint_put(at, lengths[column]);
    }
    for (int column = 0; column < COUNT_COLUMNS; column++) {
        memcpy(at, columns[column], lengths[column]);
        at += lengths[column];
    }
    return (size_t)(at - raw);
}

static void write_block(enum block_kind kind, const void *raw, size_t bytes) {
    struct block_output output;
    const int fd = open(path, O_WRONLY | O_TRUNC);
    block_output_begin(&output, fd);
    block_write_file_head(&output);
    block_write(&output, BLOCK_INFO, "", 0);
    block_write(&output, kind, raw, bytes);
    assert_int_equal(output.error, 0);
    block_output_end(&output);
    (void)close(fd);
}

/* The message with which reading ends; events that came before it in *count. */
static const char *ending(uint32_t *count) {
    static struct trace_error error;
    struct trace_event event;
    struct trace_reader *reader = trace_reader_open(path, &error);
    assert_non_null(reader);
    for (*count = 0; trace_reader_next(reader, &event);)
        ++*count;
    assert_non_null(trace_reader_error(reader));
    error = *trace_reader_error(reader);
    trace_reader_close(reader);
    return error.what;
}

#define NONE                                                                                       \
    { -1 }
#define ONE_MALLOC                                                                                 \
    { TRACE_MALLOC, -1 }

static const struct lie lies[] = {
    {"the file ends without an end mark: the recording was cut off",
     1,
     0,
     {ONE_MALLOC, {0, -1}, {0, -1}, NONE, {8, -1}, NONE, {0, -1}}},
    {"the columns of a block do not fit in it",
     2,
     0,
     {ONE_MALLOC, {0, -1}, {0, -1}, NONE, {8, -1}, NONE, {0, -1}}},
    {"an event is of no known kind",
     1,
     0,
     {{COUNT_TRACE_KINDS, -1}, {0, -1}, {0, -1}, NONE, NONE, NONE, NONE}},
    {"an event names a block that does not live",
     1,
     0,
     {{TRACE_FREE, -1}, {0, -1}, {0, -1}, {0, -1}, NONE, NONE, {0, -1}}},
    {"an event names a block that does not live",
     1,
     0,
     {{TRACE_FREE, -1}, {0, -1}, {0, -1}, {1, -1}, NONE, NONE, {0, -1}}},
    {"an event names a block that does not live",
     1,
     0,
     {{TRACE_FREE, -1}, {0, -1}, {0, -1}, {INT64_MAX, -1}, NONE, NONE, {0, -1}}},
    {"an event names a call site that is not there",
     1,
     0,
     {ONE_MALLOC, {0, -1}, {0, -1}, NONE, {8, -1}, NONE, {1, -1}}},
    {"the numbers of threads have a gap",
     1,
     0,
     {ONE_MALLOC, {0, -1}, {1, -1}, NONE, {8, -1}, NONE, {0, -1}}},
    {"an alignment is no power of two",
     1,
     0,
     {{TRACE_ALIGNED, -1}, {0, -1}, {0, -1}, NONE, {8, -1}, {65, -1}, {0, -1}}},
    {"time overflows", 1, UINT64_MAX, {ONE_MALLOC, {1, -1}, {0, -1}, NONE, {8, -1}, NONE, {0, -1}}},
    {"a column is shorter than its events",
     1,
     0,
     {ONE_MALLOC, {0, -1}, {0, -1}, NONE, NONE, NONE, {0, -1}}},
    {"a column is longer than its events",
     1,
     0,
     {ONE_MALLOC, {0, -1}, {0, -1}, {0, -1}, {8, -1}, NONE, {0, -1}}},
};

static void lies_are_found(void **state) {
    (void)state;
    static uint8_t raw[2048];
    for (size_t i = 0; i < COUNT(lies); i++) {
        uint32_t count;
        write_block(BLOCK_EVENTS, raw, put_columns(&lies[i], raw));
        assert_string_equal(ending(&count), lies[i].what);
        const bool is_read =
            strstr(lies[i].what, "without an end") || strstr(lies[i].what, "longer");
        assert_int_equal(count, is_read ? 1 : 0);
    }
}

static void sites_that_lie_are_found(void **state) {
    (void)state;
    static const struct {
        const char *what;
        uint8_t raw[8];
        size_t bytes;
    } lies[] = {
        {"a text of a call site is cut off or too long", {0, 5, 'a', 'b'}, 4},
        {"a frame of a call site names a text that is not there", {1, 9, 0, 0, 0, 1}, 6},
        {"a frame of a call site names a text that is not there", {1, 9, 0, 0}, 4},
        {"a call site has too many frames", {2, 0xff, 0x7f}, 3},
        {"a call site names a frame that is not there", {2, 1, 1}, 3},
        {"a call site names a frame that is not there", {2, 1, 0}, 3},
        {"a record of a call site is of no known kind", {3, 0, 0}, 3},
    };
    for (size_t i = 0; i < COUNT(lies); i++) {
        uint32_t count;
        write_block(BLOCK_SITES, lies[i].raw, lies[i].bytes);
        assert_string_equal(ending(&count), lies[i].what);
    }
}

static void an_end_that_lies_is_found(void **state) {
    (void)state;
    uint8_t raw[END_BYTES] = {1};
    uint32_t count;
    write_block(BLOCK_END, raw, sizeof raw);
    assert_string_equal(ending(&count), "the end mark contradicts what was read");
    write_block(BLOCK_END, raw, sizeof raw - 1);
    assert_string_equal(ending(&count), "the end mark has a wrong length");
}

static void a_block_of_a_later_kind_is_skipped(void **state) {
    (void)state;
    uint32_t count;
    write_block((enum block_kind)'Q', "what", 4);
    assert_non_null(strstr(ending(&count), "without an end mark"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_that_was_written_is_read),
        TEST(what_it_says_of_itself_is_read),
        TEST(what_was_flushed_can_be_read_at_once),
        TEST(a_full_disk_is_an_error),
        TEST(a_file_cut_anywhere_is_read_up_to_there),
        TEST(a_byte_changed_anywhere_is_found),
        TEST(what_is_behind_the_end_is_an_error),
        TEST(another_version_is_named),
        TEST(lies_are_found),
        TEST(sites_that_lie_are_found),
        TEST(an_end_that_lies_is_found),
        TEST(a_block_of_a_later_kind_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
