/* rep.c: the traces of the malloc laboratory of "Computer Systems: A Programmer's Perspective":
 *
 *   heap size, count of ids, count of operations, weight: a line each
 *   a ID SIZE | r ID SIZE | f ID
 */
#include "import/import.h"

enum { HEAD_LINES = 4 };

static bool is_operation(const char *line) {
    uint64_t number;
    return (word_is(&line, "a") || word_is(&line, "r") || word_is(&line, "f")) &&
           word_number(&line, &number);
}

static bool is_rep(const char *head, size_t count) {
    uint64_t number;
    (void)count;
    for (int i = 0; i < HEAD_LINES; i++) {
        if (!word_number(&head, &number))
            return false;
        head += *head == '\r';
        if (*head++ != '\n')
            return false;
    }
    return is_operation(head);
}

static bool read_operation(struct import *import, const char *line) {
    struct trace_event event = {.kind = TRACE_MALLOC};
    uint64_t id;
    if (word_end(&line))
        return true;
    if (word_is(&line, "r"))
        event.kind = TRACE_REALLOC;
    else if (word_is(&line, "f"))
        event.kind = TRACE_FREE;
    else if (!word_is(&line, "a"))
        return import_fail(import, "an operation begins with a, r or f");
    if (event.kind == TRACE_FREE && word_is(&line, "-1"))
        return true; /* free(NULL) */
    if (!word_number(&line, &id) ||
        (event.kind != TRACE_FREE && !word_number(&line, &event.size_bytes)))
        return import_fail(import, "a number is missing");
    import_event(import, &event, id, id);
    return true;
}

static bool run(struct import *import) {
    const struct trace_info info = {.recorded_by = "larder import rep", .note = "no times"};
    uint64_t number;
    for (int i = 0; i < HEAD_LINES; i++) {
        const char *line = import_line(import);
        if (!line || !word_number(&line, &number) || !word_end(&line))
            return import_fail(import, "the first four lines are numbers");
    }
    if (!import_begin(import, &info))
        return false;
    for (const char *line; (line = import_line(import)) != NULL;) {
        if (!read_operation(import, line))
            return false;
    }
    return true;
}

const struct importer rep_importer = {
    .name = "rep",
    .summary = "CS:APP malloc laboratory (.rep)",
    .is_it = is_rep,
    .run = run,
};
