/* The grammar of the debug options: any text, against a reader that works from the end.
 *
 * Input: names, one to a line, after the options; a NUL ends the options.
 */
#include "fuzz.h"

#include "larder/stats.h"

#define TEXT_MAX 400u
#define NAMES_MAX 4u

static const char letters[] = "FZPUA";

static unsigned blocks_in(const char *text) {
    unsigned blocks = *text != '\0';
    for (const char *at = text; *at; at++) {
        blocks += *at == ';' && at[1] != '\0';
    }
    return blocks;
}

/* Flags of a block without its names; -1 iff they are none. */
static int flags_of(const char *block, size_t length) {
    int flags = 0;
    if (length == 1 && block[0] == '-') {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        const char *letter = strchr(letters, block[i]);
        if (!letter || !*letter) {
            return -1;
        }
        flags |= 1 << (letter - letters);
    }
    return length ? flags : 15;
}

static bool name_fits(const char *pattern, size_t length, const char *name) {
    const char *star = memchr(pattern, '*', length);
    if (star) {
        return strncmp(name, pattern, (size_t)(star - pattern)) == 0;
    }
    return strlen(name) == length && memcmp(name, pattern, length) == 0;
}

static bool list_fits(const char *list, size_t length, const char *name) {
    for (size_t first = 0; first < length;) {
        size_t end = first;
        while (end < length && list[end] != ',') {
            end++;
        }
        if (name_fits(list + first, end - first, name)) {
            return true;
        }
        first = end + 1;
    }
    return length == 0;
}

/* The block [from, from + length): its flags if they hold for the name, -1 if not, -2 if it is bad.
 */
static int read_block(const char *from, size_t length, const char *name) {
    const char *comma = memchr(from, ',', length);
    size_t head = comma ? (size_t)(comma - from) : length;
    size_t tail = comma ? length - head - 1 : 0;
    int flags = flags_of(from, head);
    if (flags < 0) {
        return -2;
    }
    return list_fits(from + head + 1, tail, name) ? flags : -1;
}

/* What the options give a name, last block first; -1 iff they are not well formed. */
static int expected_flags(const char *text, const char *name) {
    int found = -1;
    size_t end = strlen(text);
    if (end > 256 || blocks_in(text) > 8) {
        return -1;
    }
    end -= end > 0 && text[end - 1] == ';';
    bool is_empty = *text == '\0';
    while (!is_empty) {
        size_t first = end;
        while (first > 0 && text[first - 1] != ';') {
            first--;
        }
        int flags = read_block(text + first, end - first, name);
        if (flags == -2) {
            return -1;
        }
        found = found == -1 ? flags : found;
        if (first == 0) {
            break;
        }
        end = first - 1;
    }
    return found == -1 ? 0 : found;
}

static void check_text(struct larder *larder, const char *text, const char *const *names,
                       unsigned count) {
    static char last_good[TEXT_MAX + 1];
    bool is_good = expected_flags(text, "x") >= 0;
    sim_check(larder_debug_parse(larder, text) == (is_good ? LARDER_OK : LARDER_BAD_OPTION));
    if (is_good) {
        strcpy(last_good, text);
    }
    for (unsigned i = 0; i < count; i++) { /* bad options change nothing */
        sim_check(larder_debug_flags(larder, names[i]) ==
                  (uint32_t)expected_flags(last_good, names[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sim *sim;
    char text[TEXT_MAX + 1], rest[TEXT_MAX + 1];
    const char *names[NAMES_MAX + 3] = {"", "heap-64", "dentry"};
    unsigned count = 3;
    if (!sim) {
        sim = sim_start(NULL);
    }
    size_t length = strnlen((const char *)data, size < TEXT_MAX ? size : TEXT_MAX);
    memcpy(text, data, length);
    text[length] = '\0';
    size_t left = size > length + 1 ? size - length - 1 : 0;
    left = left < TEXT_MAX ? left : TEXT_MAX;
    memcpy(rest, data + size - left, left);
    rest[left] = '\0';
    for (char *at = strtok(rest, "\n"); at && count < COUNT(names); at = strtok(NULL, "\n")) {
        names[count++] = at;
    }
    check_text(sim->larder, text, names, count);
    /* The names of the options themselves are the likely ones. */
    char word[TEXT_MAX + 1];
    strcpy(word, text);
    count = 0;
    for (char *at = strtok(word, ",;*"); at && count < COUNT(names); at = strtok(NULL, ",;*")) {
        names[count++] = at;
    }
    check_text(sim->larder, text, names, count);
    return 0;
}
