/* line.c: see line.h. Every edit changes the text and leaves the row to be shown again as a whole:
 * there is one picture to get right instead of one per edit. Typing at the end of the line, the
 * common case, sends only the character. */
#include "line.h"

#define CLEAR_TO_END "\x1b[K"
#define CLEAR_SCREEN "\x1b[H\x1b[2J"
#define ASK_WIDTH "\0337\033[999C\033[6n\0338"
#define BELL "\a"

static unsigned text_length(const char *text) {
    unsigned length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

static void emit(struct line *line, const char *text, unsigned length) {
    if (length > 0)
        line->out.write(line->out.context, text, length);
}

static void put(struct line *line, const char *text) {
    emit(line, text, text_length(text));
}

/* ---- Showing --------------------------------------------------------------------------------- */

/* Characters of the line that fit beside the prompt; the last column stays free, because terminals
 * disagree about what happens there. */
static unsigned room(const struct line *line) {
    unsigned prompt = text_length(line->prompt);
    return line->columns > prompt + 2 ? line->columns - prompt - 1 : 1;
}

static void scroll_to_cursor(struct line *line) {
    if (line->cursor < line->scroll)
        line->scroll = line->cursor;
    if (line->cursor - line->scroll > room(line))
        line->scroll = line->cursor - room(line);
}

static void move_right(struct line *line, unsigned columns) {
    char digits[10];
    unsigned at = sizeof(digits);
    if (columns == 0)
        return;
    for (; columns > 0; columns /= 10)
        digits[--at] = (char)('0' + columns % 10);
    put(line, "\x1b[");
    emit(line, digits + at, (unsigned)sizeof(digits) - at);
    put(line, "C");
}

static void outdate(struct line *line) {
    line->stale = true;
}

void line_settle(struct line *line) {
    if (!line->stale)
        return;
    line->stale = false;
    scroll_to_cursor(line);
    unsigned shown = line->length - line->scroll;
    put(line, "\r");
    put(line, line->prompt);
    emit(line, line->text + line->scroll, shown < room(line) ? shown : room(line));
    put(line, CLEAR_TO_END "\r");
    move_right(line, text_length(line->prompt) + line->cursor - line->scroll);
}

/* ---- Editing --------------------------------------------------------------------------------- */

static void erase(struct line *line, unsigned from, unsigned to) {
    for (unsigned i = to; i <= line->length; i++)
        line->text[from + i - to] = line->text[i];
    if (to > from)
        line->too_long = false;
    line->length -= to - from;
    line->cursor = from;
    outdate(line);
}

static bool insert(struct line *line, char character) {
    if (line->length + 1 >= LINE_BYTES) {
        line->too_long = true;
        return false;
    }
    for (unsigned i = line->length + 1; i > line->cursor; i--)
        line->text[i] = line->text[i - 1];
    line->text[line->cursor++] = character;
    line->length++;
    return true;
}

static void type(struct line *line, char character) {
    if (!insert(line, character))
        put(line, BELL);
    else if (!line->stale && line->cursor == line->length &&
             line->cursor - line->scroll <= room(line))
        emit(line, &character, 1);
    else
        outdate(line);
}

static unsigned word_start(const struct line *line) {
    unsigned at = line->cursor;
    while (at > 0 && line->text[at - 1] == ' ')
        at--;
    while (at > 0 && line->text[at - 1] != ' ')
        at--;
    return at;
}

static unsigned word_end(const struct line *line) {
    unsigned at = line->cursor;
    while (at < line->length && line->text[at] == ' ')
        at++;
    while (at < line->length && line->text[at] != ' ')
        at++;
    return at;
}

static void move(struct line *line, unsigned cursor) {
    line->cursor = cursor;
    outdate(line);
}

static void replace(struct line *line, const char *text) {
    unsigned i = 0;
    for (; text[i] != '\0' && i < LINE_BYTES - 1; i++)
        line->text[i] = text[i];
    line->text[i] = '\0';
    line->length = line->cursor = i;
    line->scroll = 0;
    line->too_long = false;
    outdate(line);
}

/* ---- History --------------------------------------------------------------------------------- */

static void save_draft(struct line *line) {
    for (unsigned i = 0; i <= line->length; i++)
        line->draft[i] = line->text[i];
}

static void go_back(struct line *line) {
    const char *text = history_get(line->history, line->back + 1);
    if (text == NULL) {
        put(line, BELL);
        return;
    }
    if (line->back == 0)
        save_draft(line);
    line->back++;
    replace(line, text);
}

static void go_forward(struct line *line) {
    if (line->back == 0) {
        put(line, BELL);
        return;
    }
    line->back--;
    replace(line, line->back == 0 ? line->draft : history_get(line->history, line->back));
}

/* ---- Completion ------------------------------------------------------------------------------ */

/* How many characters all the words have in common. */
static unsigned common_length(const struct completion *completion) {
    unsigned length = text_length(completion->word[0]);
    for (unsigned i = 1; i < completion->count; i++) {
        unsigned same = 0;
        while (same < length && completion->word[i][same] == completion->word[0][same])
            same++;
        length = same;
    }
    return length;
}

static void list(struct line *line, const struct completion *completion) {
    line_settle(line);
    put(line, "\r\n");
    for (unsigned i = 0; i < completion->count; i++) {
        put(line, completion->word[i]);
        put(line, i + 1 < completion->count ? "  " : "\r\n");
    }
    outdate(line);
}

static void complete(struct line *line) {
    struct completion completion = {.count = 0};
    char before[LINE_BYTES];
    unsigned start = line->cursor;
    while (start > 0 && line->text[start - 1] != ' ')
        start--;
    for (unsigned i = 0; i < line->cursor; i++)
        before[i] = line->text[i];
    before[line->cursor] = '\0';
    if (line->complete != NULL)
        line->complete(line->context, before, start, &completion);
    if (completion.count == 0) {
        put(line, BELL);
        return;
    }
    unsigned typed = line->cursor - start, length = common_length(&completion);
    for (unsigned i = typed; i < length; i++)
        type(line, completion.word[0][i]);
    if (completion.count == 1)
        type(line, ' ');
    else if (typed >= length)
        list(line, &completion);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void report(struct line *line) {
    unsigned columns = line->keys.number[1];
    if (columns >= LINE_COLUMNS_MIN)
        line->columns = columns;
}

static void move_key(struct line *line, enum key key) {
    switch (key) {
    case KEY_LEFT:
        move(line, line->cursor > 0 ? line->cursor - 1 : 0);
        break;
    case KEY_RIGHT:
        move(line, line->cursor < line->length ? line->cursor + 1 : line->length);
        break;
    case KEY_HOME:
        move(line, 0);
        break;
    case KEY_END:
        move(line, line->length);
        break;
    case KEY_WORD_LEFT:
        move(line, word_start(line));
        break;
    case KEY_WORD_RIGHT:
        move(line, word_end(line));
        break;
    default:
        put(line, BELL);
        break;
    }
}

static void erase_key(struct line *line, enum key key) {
    unsigned cursor = line->cursor, next = cursor < line->length ? cursor + 1 : cursor;
    switch (key) {
    case KEY_BACKSPACE:
        erase(line, cursor > 0 ? cursor - 1 : 0, cursor);
        break;
    case KEY_DELETE:
    case KEY_END_OF_INPUT:
        erase(line, cursor, next);
        break;
    case KEY_KILL_TO_END:
        erase(line, cursor, line->length);
        break;
    case KEY_KILL_TO_START:
        erase(line, 0, cursor);
        break;
    case KEY_KILL_WORD:
        erase(line, word_start(line), cursor);
        break;
    default:
        move_key(line, key);
        break;
    }
}

static void edit(struct line *line, enum key key) {
    switch (key) {
    case KEY_TEXT:
        type(line, line->keys.text);
        break;
    case KEY_TAB:
        complete(line);
        break;
    case KEY_UP:
        go_back(line);
        break;
    case KEY_DOWN:
        go_forward(line);
        break;
    case KEY_CLEAR:
        put(line, CLEAR_SCREEN);
        outdate(line);
        break;
    case KEY_REPORT:
        report(line);
        break;
    default:
        erase_key(line, key);
        break;
    }
}

void line_init(struct line *line, const struct larder_sink *out, const char *prompt,
               struct history *history) {
    *line = (struct line){
        .out = *out, .prompt = prompt, .history = history, .columns = LINE_COLUMNS_DEFAULT};
    keys_init(&line->keys);
}

void line_begin(struct line *line) {
    line->text[0] = '\0';
    line->length = line->cursor = line->scroll = line->back = 0;
    line->too_long = false;
    put(line, ASK_WIDTH);
    outdate(line);
    line_settle(line);
}

enum line_result line_feed(struct line *line, uint8_t byte) {
    enum key key = keys_feed(&line->keys, byte);
    if (key == KEY_NONE)
        return LINE_MORE;
    if (key != KEY_ENTER && key != KEY_CANCEL) {
        edit(line, key);
        return LINE_MORE;
    }
    line_settle(line);
    put(line, key == KEY_ENTER ? "\r\n" : "^C\r\n");
    if (key == KEY_CANCEL)
        return LINE_CANCELLED;
    return line->too_long ? LINE_TOO_LONG : LINE_DONE;
}
