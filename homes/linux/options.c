/* options.c: reading LARDER_* from the environment. See options.h.
 *
 * One table says everything about an option; parsing, the help and the warnings follow from it. A
 * value that does not parse leaves the default and costs one line on stderr, as does a name that
 * nobody knows. A program with more rights than its caller reads nothing.
 */
#include "options.h"

#include "output.h"

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PREFIX "LARDER_"
#define PREFIX_LENGTH (sizeof PREFIX - 1)

struct options options = {.background = true, .purge_ms = 1000};

enum kind { SWITCH, MILLISECONDS, CHOICE, SIGNAL, BYTES, TEXT };

/* `field` is a bool, unsigned, unsigned, unsigned, size_t or const char * by kind. */
struct option {
    const char *name;
    enum kind kind;
    void *field;
    const char *otherwise; /* the default, as it would be written; "": none */
    size_t least, most;    /* of a number */
    const char *choices;   /* CHOICE: the words, each followed by a space */
    const char *help;
};

#define EVERY_SIZE 0, SIZE_MAX, NULL
#define EVERY_TIME 0, INT_MAX, NULL

static const struct option table[] = {
    {"HELP", SWITCH, &options.help, "0", EVERY_SIZE, "1: write this list to stderr at start"},
    {"DISABLE", SWITCH, &options.disable, "0", EVERY_SIZE,
     "1: leave the program to the C library's malloc"},
    {"LIMIT", BYTES, &options.limit_bytes, "0", EVERY_SIZE,
     "hard limit of the heap: NULL and ENOMEM beyond it; 0: none"},
    {"SOFT_LIMIT", BYTES, &options.soft_limit_bytes, "0", EVERY_SIZE,
     "free memory goes back at once while the heap is larger; 0: none"},
    {"CGROUP", TEXT, &options.cgroup, "", EVERY_SIZE,
     "1: seven eighths of the cgroup's memory.max as soft limit; or a cgroup's folder"},
    {"PURGE_MS", MILLISECONDS, &options.purge_ms, "1000", EVERY_TIME,
     "free memory goes back to the system after one to two such times"},
    {"BACKGROUND", SWITCH, &options.background, "1", EVERY_SIZE,
     "0: no thread of its own that gives memory back while the program is idle"},
    {"PAGE_BYTES", BYTES, &options.page_bytes, "0", EVERY_SIZE,
     "for tests: take the system's pages for this large, a power of two; 0: ask the system"},
    {"THP", CHOICE, &options.thp, "default", 0, SIZE_MAX, "default always never ",
     "huge pages for the heap, by madvise() on its own mapping"},
    {"DEBUG", TEXT, &options.debug, "", EVERY_SIZE,
     "debugging of size classes, as slab_debug: FZPU, FZ,heap-64"},
    {"HARDENED", SWITCH, &options.hardened, "0", EVERY_SIZE,
     "1: random places, quarantine, wiping, guard pages; every wrong free stops the program"},
    {"STATS", CHOICE, &options.stats, "0", 0, SIZE_MAX, "0 1 json ",
     "statistics at exit, for a person (1) or a tool"},
    {"STATS_FILE", TEXT, &options.stats_file, "", EVERY_SIZE,
     "where they go instead of stderr; %p is the process"},
    {"SNAPSHOT_SIGNAL", SIGNAL, &options.snapshot_signal, "", EVERY_SIZE,
     "on this signal (USR1, USR2 or a number) statistics are written, as JSON, to"},
    {"CONTROL", TEXT, &options.control, "", EVERY_SIZE,
     "a socket where tools of the same user may ask about the heap: 1, or its path; %p is the "
     "process"},
    {"SNAPSHOT_FILE", TEXT, &options.snapshot_file, "larder.%p.json", EVERY_SIZE,
     "this file; %p is the process"},
};

/* What larder's own tests and tools find in the environment. */
static const char *const others[] = {"RECORD_CHANNEL", "BUILD",   "VARIANT",
                                     "SEED",           "SUMMARY", "TEST"};

/* ---- values ---- */

/* Decimal digits; where they end. NULL iff there is none, or the number does not fit. */
static const char *parse_number(const char *text, size_t *value) {
    if (*text < '0' || *text > '9')
        return NULL;
    for (*value = 0; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(*value, (size_t)10, value) ||
            __builtin_add_overflow(*value, (size_t)(*text - '0'), value))
            return NULL;
    }
    return text;
}

static bool parse_bytes(const char *text, size_t *value) {
    static const char units[] = "KMGT";
    text = parse_number(text, value);
    for (unsigned i = 0; text && units[i]; i++) {
        if ((*text & ~0x20) == units[i]) {
            text++;
            return !__builtin_mul_overflow(*value, (size_t)1 << 10 * (i + 1), value) && !*text;
        }
    }
    return text && !*text;
}

static bool parse_choice(const char *choices, const char *text, size_t *value) {
    const size_t length = strlen(text);
    for (*value = 0; *choices; ++*value) {
        const size_t here = (size_t)(strchr(choices, ' ') - choices);
        if (here == length && strncmp(choices, text, here) == 0)
            return true;
        choices += here + 1;
    }
    return false;
}

static bool parse_signal(const char *text, size_t *value) {
    if (strncmp(text, "SIG", 3) == 0)
        text += 3;
    *value = strcmp(text, "USR1") == 0 ? SIGUSR1 : strcmp(text, "USR2") == 0 ? SIGUSR2 : 0;
    if (*value || !*text)
        return true;
    text = parse_number(text, value);
    return text && !*text && *value <= (size_t)SIGRTMAX;
}

static bool parse(const struct option *option, const char *text, size_t *value) {
    const char *end;
    switch (option->kind) {
    case SWITCH:
        *value = text[0] == '1';
        return (text[0] == '0' || text[0] == '1') && !text[1];
    case MILLISECONDS:
        end = parse_number(text, value);
        return end && !*end;
    case CHOICE:
        return parse_choice(option->choices, text, value);
    case SIGNAL:
        return parse_signal(text, value);
    default:
        return parse_bytes(text, value);
    }
}

/* False iff the text is no value of this option. */
static bool set(const struct option *option, const char *text) {
    size_t value = 0;
    if (option->kind == TEXT) {
        *(const char **)option->field = *text ? text : NULL;
        return true;
    }
    if (!parse(option, text, &value) || value < option->least || value > option->most)
        return false;
    if (option->kind == SWITCH)
        *(bool *)option->field = value != 0;
    else if (option->kind == BYTES)
        *(size_t *)option->field = value;
    else
        *(unsigned *)option->field = (unsigned)value;
    return true;
}

/* ---- the environment ---- */

static const struct option *find(const char *name, size_t length) {
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        if (strncmp(table[i].name, name, length) == 0 && !table[i].name[length])
            return &table[i];
    }
    return NULL;
}

static bool is_others(const char *name, size_t length) {
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        if (strncmp(others[i], name, length) == 0 && !others[i][length])
            return true;
    }
    return false;
}

/* `entry` is NAME=value, without the prefix. */
static void read_entry(const char *entry) {
    const char *equals = strchr(entry, '=');
    if (!equals)
        return;
    const struct option *option = find(entry, (size_t)(equals - entry));
    if (option && !set(option, equals + 1))
        output_warning(PREFIX, entry, ": not a value of this option, which keeps its default");
    if (!option && !is_others(entry, (size_t)(equals - entry)))
        output_warning("unknown option " PREFIX, entry, " (LARDER_HELP=1 lists all)");
}

void options_read(void) {
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        (void)set(&table[i], table[i].otherwise);
    if (!environ || getauxval(AT_SECURE))
        return;
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, PREFIX, PREFIX_LENGTH) == 0)
            read_entry(*entry + PREFIX_LENGTH);
    }
    options.checks_sizes = options.debug || options.hardened;
    if (options.help)
        options_write_help();
}

/* ---- help ---- */

static void write_choice(const struct larder_sink *sink, const char *choices, unsigned value) {
    while (value-- > 0)
        choices = strchr(choices, ' ') + 1;
    sink->write(sink->context, choices, (size_t)(strchr(choices, ' ') - choices));
}

static void write_bytes(const struct larder_sink *sink, size_t value) {
    static const char *const units[] = {"", "K", "M", "G", "T"};
    unsigned unit = 0;
    for (; value != 0 && value % 1024 == 0 && unit + 1 < ARRAY_LENGTH(units); unit++)
        value /= 1024;
    text_decimal(sink, value, 0);
    text_put(sink, units[unit]);
}

static void write_value(const struct larder_sink *sink, const struct option *option) {
    const char *const *text = option->field;
    switch (option->kind) {
    case SWITCH:
        text_put(sink, *(const bool *)option->field ? "1" : "0");
        break;
    case CHOICE:
        write_choice(sink, option->choices, *(const unsigned *)option->field);
        break;
    case BYTES:
        write_bytes(sink, *(const size_t *)option->field);
        break;
    case TEXT:
        text_put(sink, *text ? *text : "");
        break;
    default:
        text_decimal(sink, *(const unsigned *)option->field, 0);
    }
}

void options_write_help(void) {
    struct output output;
    output_start(&output, STDERR_FILENO);
    text_put(&output.sink, "larder " LARDER_VERSION ": options, with the values they have now\n"
                           "(times in ms, sizes in bytes or with K, M, G, T)\n");
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        text_put(&output.sink, "  " PREFIX);
        text_put(&output.sink, table[i].name);
        text_put(&output.sink, "=");
        write_value(&output.sink, &table[i]);
        if (table[i].choices) {
            text_put(&output.sink, "   one of: ");
            text_put(&output.sink, table[i].choices);
        }
        text_put(&output.sink, "\n        ");
        text_put(&output.sink, table[i].help);
        text_put(&output.sink, "\n");
    }
    output_end(&output);
}
