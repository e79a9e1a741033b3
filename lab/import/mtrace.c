/* mtrace.c: the log of glibc's mtrace():
 *
 *   @ CALLER + POINTER SIZE      - POINTER      < OLD, then > NEW SIZE      ! POINTER SIZE (realloc
 * failed)
 *
 * where CALLER is MODULE:(FUNCTION+OFFSET)[ADDRESS], or parts of that.
 */
#include "import/import.h"

#include <string.h>

enum { NAME_MAX_BYTES = 256 };

static bool is_mtrace(const char *head, size_t count) {
    return count >= 7 && memcmp(head, "= Start", 7) == 0;
}

/* The text between two characters, if they are there in that order. */
static void between(const char *text, char from, char to, char name[NAME_MAX_BYTES]) {
    const char *start = strchr(text, from), *end = start ? strchr(start + 1, to) : NULL;
    const size_t count = end ? (size_t)(end - start - 1) : 0;
    name[0] = '\0';
    if (count > 0 && count < NAME_MAX_BYTES) {
        memcpy(name, start + 1, count);
        name[count] = '\0';
    }
}

/* `text` ends with the caller. */
static uint32_t site_of(struct import *import, const char *text) {
    char module[NAME_MAX_BYTES], function[NAME_MAX_BYTES], address[NAME_MAX_BYTES];
    struct trace_frame frame = {.function = function, .module = module};
    const char *digits = address;
    const size_t length = strcspn(text, ":[ ");
    const char *slash = memrchr(text, '/', length);
    const char *name = slash ? slash + 1 : text;
    const size_t count = (size_t)(text + length - name);
    module[0] = '\0';
    if (count > 0 && count < sizeof module) {
        memcpy(module, name, count);
        module[count] = '\0';
    }
    between(text, '(', ')', function);
    function[strcspn(function, "+")] = '\0';
    between(text, '[', ']', address);
    (void)word_hex(&digits, &frame.address);
    return import_caller(import, &frame);
}

static bool read_line(struct import *import, char *line, uint64_t *old_pointer) {
    struct trace_event event = {.kind = TRACE_FREE};
    const char *at = line;
    uint64_t pointer;
    if (*at == '=' || word_end(&at))
        return true;
    if (*at == '@') {
        char *caller = line + 2;
        char *end = strchr(caller, ' ');
        if (!end)
            return import_fail(import, "a caller, and nothing behind it");
        *end = '\0';
        event.site = site_of(import, caller);
        at = end + 1;
    }
    const char what = *at++;
    if (!strchr("+-<>!", what) || !word_hex(&at, &pointer) ||
        (strchr("+>!", what) && !word_hex(&at, &event.size_bytes)))
        return import_fail(import, "not + POINTER SIZE, - POINTER, < POINTER, > POINTER SIZE");
    if (what == '<') {
        *old_pointer = pointer;
        return true;
    }
    if (what == '+')
        event.kind = pointer ? TRACE_MALLOC : TRACE_FAILED;
    else if (what == '>')
        event.kind = TRACE_REALLOC;
    else if (what == '!')
        event.kind = TRACE_FAILED;
    import_event(import, &event, pointer, *old_pointer);
    return true;
}

static bool run(struct import *import) {
    const struct trace_info info = {.recorded_by = "larder import mtrace",
                                    .note = "no times; calloc and aligned requests are mallocs",
                                    .has_sites = true};
    uint64_t old_pointer = 0;
    if (!import_begin(import, &info))
        return false;
    for (char *line; (line = import_line(import)) != NULL;) {
        if (!read_line(import, line, &old_pointer))
            return false;
    }
    return true;
}

const struct importer mtrace_importer = {
    .name = "mtrace",
    .summary = "glibc's mtrace()",
    .is_it = is_mtrace,
    .run = run,
};
