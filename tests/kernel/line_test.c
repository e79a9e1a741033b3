/* The line editor, its keys and its history, seen as a person sees them: on a screen. */
#include "../../homes/kernel/shell/line.h"

#include "screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct screen screen;
static struct history history;
static struct line line;

static void start(void) {
    struct larder_sink sink = {screen_write, &screen};
    screen_init(&screen);
    history_init(&history);
    line_init(&line, &sink, "> ", &history);
    line_begin(&line);
}

static int set_up(void **state) {
    (void)state;
    start();
    return 0;
}

/* Every test ends with what must hold after any input. */
static int tear_down(void **state) {
    (void)state;
    assert_true(line.cursor <= line.length);
    assert_true(line.length < LINE_BYTES);
    assert_int_equal(strlen(line.text), line.length);
    assert_int_equal(screen.strange, 0);
    return 0;
}

static enum line_result feed(const char *bytes) {
    enum line_result result = LINE_MORE;
    for (; *bytes != '\0'; bytes++)
        result = line_feed(&line, (uint8_t)*bytes);
    if (result == LINE_MORE)
        line_settle(&line);
    return result;
}

static void assert_shown(const char *text, unsigned cursor) {
    assert_string_equal(line.text, text);
    assert_int_equal(line.cursor, cursor);
    char row[300];
    snprintf(row, sizeof(row), "> %s", text);
    size_t length = strlen(row);
    while (length > 0 && row[length - 1] == ' ')
        row[--length] = '\0';
    assert_string_equal(screen_text(screen.row), row);
    assert_int_equal(screen.column, 2 + cursor);
}

static enum line_result enter(const char *text) {
    enum line_result result = feed(text);
    assert_int_equal(result, LINE_MORE);
    result = feed("\r");
    if (result == LINE_DONE)
        history_add(&history, line.text);
    line_begin(&line);
    return result;
}

static void types_and_enters(void **state) {
    (void)state;
    assert_int_equal(feed("map"), LINE_MORE);
    assert_shown("map", 3);
    assert_int_equal(feed("\r"), LINE_DONE);
    assert_string_equal(line.text, "map");
    assert_string_equal(screen_text(screen.above), "> map");
    assert_int_equal(screen.column, 0);
}

static void return_and_line_feed_are_one_enter(void **state) {
    (void)state;
    assert_int_equal(feed("a\r"), LINE_DONE);
    line_begin(&line);
    assert_int_equal(line_feed(&line, '\n'), LINE_MORE);
    assert_int_equal(feed("b\n"), LINE_DONE);
    assert_string_equal(line.text, "b");
    line_begin(&line);
    assert_int_equal(line_feed(&line, '\n'), LINE_DONE);
    assert_string_equal(line.text, "");
}

static void moves_and_inserts(void **state) {
    (void)state;
    feed("alc\x1b[Dlo\x1b[C");
    assert_shown("alloc", 5);
    feed("\x1b[HX\x1b[FY\x1b[1~Z\x1b[4~W\x1bOHV\x1bOFU");
    assert_shown("VZXallocYWU", 11);
    feed("\x01"
         "1\x05"
         "2\x02"
         "3\x06"
         "4");
    assert_shown("1VZXallocYWU324", 15);
}

static void moves_by_words(void **state) {
    (void)state;
    feed("cache alloc one\x1b[1;5D\x1b[1;5D");
    assert_shown("cache alloc one", 6);
    feed("\x1b"
         "b");
    assert_shown("cache alloc one", 0);
    feed("\x1b[1;5C");
    assert_shown("cache alloc one", 5);
    feed("\x1b"
         "f\x1b"
         "f\x1b"
         "f");
    assert_shown("cache alloc one", 15);
}

static void erases(void **state) {
    (void)state;
    feed("frames\x7f\x08");
    assert_shown("fram", 4);
    feed("\x1b[D\x1b[D\x1b[3~");
    assert_shown("frm", 2);
    feed("\x04");
    assert_shown("fr", 2);
    feed("\x04\x1b[3~");
    assert_shown("fr", 2);
    feed("\x01\x7f");
    assert_shown("fr", 0);
}

static void kills(void **state) {
    (void)state;
    feed("one two three\x17");
    assert_shown("one two ", 8);
    feed("\x1b[D\x1b[D\x0b");
    assert_shown("one tw", 6);
    feed("\x1b[D\x15");
    assert_shown("w", 0);
    feed("\x0b\x15\x17");
    assert_shown("", 0);
    feed("a b\x1b\x7f");
    assert_shown("a ", 2);
}

static void clears_the_screen(void **state) {
    (void)state;
    feed("abc\x1b[D\x0c");
    assert_int_equal(screen.clears, 1);
    assert_shown("abc", 2);
}

/* However much comes at once, the row is shown again once. */
static void a_paste_is_shown_once(void **state) {
    (void)state;
    feed("end\x01");
    screen.returns = 0;
    for (unsigned i = 0; i < 40; i++)
        (void)line_feed(&line, 'x');
    assert_int_equal(screen.returns, 0);
    line_settle(&line);
    assert_int_equal(screen.returns, 2);
    assert_shown("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxend", 40);
    line_settle(&line);
    assert_int_equal(screen.returns, 2);
}

static void enter_shows_what_is_entered(void **state) {
    (void)state;
    feed("map\x01");
    (void)line_feed(&line, 'x');
    assert_int_equal(line_feed(&line, '\r'), LINE_DONE);
    assert_string_equal(screen_text(screen.above), "> xmap");
}

static void cancels(void **state) {
    (void)state;
    assert_int_equal(feed("half a li\x03"), LINE_CANCELLED);
    line_begin(&line);
    assert_shown("", 0);
}

static void end_of_input_on_an_empty_line_does_nothing(void **state) {
    (void)state;
    assert_int_equal(feed("\x04\x04"), LINE_MORE);
    assert_shown("", 0);
}

static void goes_back_and_forth_in_history(void **state) {
    (void)state;
    enter("first");
    enter("second");
    enter("second");
    enter("   ");
    feed("dra\x1b[A");
    assert_shown("second", 6);
    feed("\x1b[A");
    assert_shown("first", 5);
    unsigned bells = screen.bells;
    feed("\x1b[A");
    assert_shown("first", 5);
    assert_int_equal(screen.bells, bells + 1);
    feed("\x10\x0e");
    assert_shown("second", 6);
    feed("\x1b[B");
    assert_shown("dra", 3);
    feed("\x1bOB");
    assert_shown("dra", 3);
}

static void an_edited_line_of_history_is_a_new_line(void **state) {
    (void)state;
    enter("map");
    enter("\x1b[A 4M");
    feed("\x1b[A");
    assert_shown("map 4M", 6);
    feed("\x1b[A");
    assert_shown("map", 3);
}

static void history_forgets_the_oldest(void **state) {
    (void)state;
    char text[16];
    for (unsigned i = 0; i < HISTORY_LINES + 5; i++) {
        snprintf(text, sizeof(text), "line %u", i);
        enter(text);
    }
    assert_null(history_get(&history, 0));
    assert_string_equal(history_get(&history, 1), text);
    assert_string_equal(history_get(&history, HISTORY_LINES), "line 5");
    assert_null(history_get(&history, HISTORY_LINES + 1));
}

/* Paste more than fits: the bell, and a result that keeps the line from being run. */
static void a_line_that_is_too_long_is_refused(void **state) {
    (void)state;
    for (unsigned i = 0; i < LINE_BYTES - 1; i++)
        assert_int_equal(feed("x"), LINE_MORE);
    assert_int_equal(screen.bells, 0);
    assert_int_equal(feed("y"), LINE_MORE);
    assert_int_equal(screen.bells, 1);
    assert_int_equal(line.length, LINE_BYTES - 1);
    assert_int_equal(feed("\x1b[3~\r"), LINE_TOO_LONG);
    line_begin(&line);
    assert_int_equal(feed("map\r"), LINE_DONE);
}

static void a_line_that_was_too_long_may_be_shortened(void **state) {
    (void)state;
    for (unsigned i = 0; i < 2 * LINE_BYTES; i++)
        feed("x");
    assert_int_equal(feed("\x7f\r"), LINE_DONE);
    assert_int_equal(strlen(line.text), LINE_BYTES - 2);
}

static void a_wide_line_scrolls(void **state) {
    (void)state;
    feed("\x1b[24;20R");
    assert_int_equal(line.columns, 20);
    feed("abcdefghijklmnopqrstuvwxyz");
    assert_string_equal(screen_text(screen.row), "> jklmnopqrstuvwxyz");
    feed("\x01");
    assert_string_equal(screen_text(screen.row), "> abcdefghijklmnopq");
    assert_int_equal(screen.column, 2);
    feed("\x05\x1b[D\x1b[D_");
    assert_string_equal(line.text, "abcdefghijklmnopqrstuvwx_yz");
    assert_true(screen.column < 20);
}

static void asks_for_the_width_with_each_prompt(void **state) {
    (void)state;
    assert_int_equal(screen.questions, 1);
    feed("\x1b[1;132R");
    assert_int_equal(line.columns, 132);
    feed("\x1b[1;3R\x1b[R\x1b[99999999999999R");
    assert_int_equal(line.columns, 132);
    assert_shown("", 0);
    feed("\r");
    line_begin(&line);
    assert_int_equal(screen.questions, 2);
}

static void unknown_sequences_leave_the_line_alone(void **state) {
    (void)state;
    feed("a\x1b[15~b\x1b[200~c\x1b[1;2;3;4;5;6;7;8;9Zd\x1bQ\x1bOPe");
    assert_shown("abcde", 5);
    feed("\x1b]0;a title\a\x1bPq#0;2\x1b\\f\x1b[?1;2cg\x1b[<0;1;1Mh");
    assert_shown("abcdefgh", 8);
    feed("\x1b\x1b\x1b[Di");
    assert_shown("abcdefgih", 8);
}

static void a_sequence_cut_short_does_not_eat_the_enter(void **state) {
    (void)state;
    assert_int_equal(feed("a\x1b\r"), LINE_DONE);
    line_begin(&line);
    assert_int_equal(feed("b\x1b[\r"), LINE_DONE);
    line_begin(&line);
    assert_int_equal(feed("c\x1b[12;\r"), LINE_DONE);
    line_begin(&line);
    assert_int_equal(feed("d\x1bO\r"), LINE_DONE);
    line_begin(&line);
    assert_int_equal(feed("e\x1b]lost title\r"), LINE_DONE);
    assert_string_equal(line.text, "e");
}

static void bytes_beyond_ascii_ring_once_a_character(void **state) {
    (void)state;
    feed("a\xc3\xa9"
         "b\xe2\x82\xac"
         "c\xf0\x9f\x98\x80"
         "d");
    assert_shown("abcd", 4);
    assert_int_equal(screen.bells, 3);
    feed("\xff\x80\x80\x80\x80\x80\xc3"
         "e");
    assert_shown("abcde", 5);
}

static void control_characters_without_a_meaning_are_ignored(void **state) {
    (void)state;
    feed("a\x07\x0f\x11\x12\x13\x14\x16\x18\x19\x1a\x1c\x1d\x1e\x1f"
         "b");
    (void)line_feed(&line, 0);
    assert_shown("ab", 2);
}

/* ---- Completion ------------------------------------------------------------------------------ */

static const char *const dictionary[] = {"cache", "caches", "check", "clear", "map"};

static void look_up(void *context, const char *text, unsigned from, struct completion *completion) {
    (void)context;
    for (unsigned i = 0; i < 5; i++)
        if (strncmp(dictionary[i], text + from, strlen(text + from)) == 0)
            completion->word[completion->count++] = dictionary[i];
}

static void completes(void **state) {
    (void)state;
    line.complete = look_up;
    feed("m\t");
    assert_shown("map ", 4);
    feed("ca\t");
    assert_shown("map cache", 9);
    feed("\t");
    assert_shown("map cache", 9);
    assert_string_equal(screen_text(screen.above), "cache  caches");
    unsigned bells = screen.bells;
    feed("zzz\t");
    assert_int_equal(screen.bells, bells + 1);
    assert_shown("map cachezzz", 12);
}

static void completes_in_the_middle(void **state) {
    (void)state;
    line.complete = look_up;
    feed("xyz\x01m\t");
    assert_shown("map xyz", 4);
}

static void completes_a_full_line(void **state) {
    (void)state;
    line.complete = look_up;
    for (unsigned i = 0; i < LINE_BYTES - 3; i++)
        feed(" ");
    feed("m\t");
    assert_int_equal(line.length, LINE_BYTES - 1);
    assert_true(line.too_long);
}

/* ---- Anything at all ------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static uint8_t random_byte(uint32_t *seed) {
    static const uint8_t likely[] = {0x1b, '[', 'A', 'B', 'C', 'D', '~', ';', '3', 'O', 0x7f, 9,
                                     0xc3, ' ', 'a', 'z', 1,   5,   23,  21,  'H', 'R', '1',  ']'};
    uint32_t value = next_random(seed);
    return value % 4 == 0 ? (uint8_t)(value >> 4) : likely[(value >> 4) % sizeof(likely)];
}

static void survives_noise(void **state) {
    (void)state;
    uint32_t seed = 20260101;
    line.complete = look_up;
    for (unsigned i = 0; i < 300000; i++) {
        uint8_t byte = random_byte(&seed);
        if (line_feed(&line, byte) != LINE_MORE) {
            history_add(&history, line.text);
            line_begin(&line);
        }
        if (next_random(&seed) % 2 == 0)
            line_settle(&line);
        assert_true(line.cursor <= line.length && line.length < LINE_BYTES);
        assert_int_equal(line.text[line.length], '\0');
        if (line.columns > SCREEN_COLUMNS)
            line.columns = LINE_COLUMNS_DEFAULT;
        assert_true(screen.column < line.columns || screen.column < LINE_COLUMNS_DEFAULT);
        screen.strange = 0; /* completion lists are wider than this screen */
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(types_and_enters),
        TEST(return_and_line_feed_are_one_enter),
        TEST(moves_and_inserts),
        TEST(moves_by_words),
        TEST(erases),
        TEST(kills),
        TEST(clears_the_screen),
        TEST(a_paste_is_shown_once),
        TEST(enter_shows_what_is_entered),
        TEST(cancels),
        TEST(end_of_input_on_an_empty_line_does_nothing),
        TEST(goes_back_and_forth_in_history),
        TEST(an_edited_line_of_history_is_a_new_line),
        TEST(history_forgets_the_oldest),
        TEST(a_line_that_is_too_long_is_refused),
        TEST(a_line_that_was_too_long_may_be_shortened),
        TEST(a_wide_line_scrolls),
        TEST(asks_for_the_width_with_each_prompt),
        TEST(unknown_sequences_leave_the_line_alone),
        TEST(a_sequence_cut_short_does_not_eat_the_enter),
        TEST(bytes_beyond_ascii_ring_once_a_character),
        TEST(control_characters_without_a_meaning_are_ignored),
        TEST(completes),
        TEST(completes_in_the_middle),
        TEST(completes_a_full_line),
        TEST(survives_noise),
    };
    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
