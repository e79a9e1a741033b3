/* check.c: where every fatal passes on its way to the port, and the words for kinds and statuses.
 */
#include "check.h"
#include "larder/port.h"

_Noreturn void fatal_raise(enum larder_fatal_kind kind, const void *pointer, const char *owner,
                           const char *detail) {
    struct larder_fatal fatal = {
        .kind = kind,
        .pointer = pointer,
        .owner = owner,
        .detail = detail,
    };
    larder_port_fatal(&fatal);
}

_Noreturn void assertion_failed(const char *expression, const char *file, unsigned line) {
    struct larder_fatal fatal = {
        .kind = LARDER_FATAL_ASSERTION,
        .owner = "larder",
        .detail = expression,
        .file = file,
        .line = line,
    };
    larder_port_fatal(&fatal);
}

const char *larder_status_text(enum larder_status status) {
    static const char *const text[] = {
        [LARDER_OK] = "ok",
        [LARDER_NO_MEMORY] = "no memory left",
        [LARDER_BAD_SIZE] = "bad size",
        [LARDER_BAD_ALIGNMENT] = "bad alignment",
        [LARDER_BAD_RANGE] = "bad address range",
        [LARDER_BAD_NAME] = "bad name",
        [LARDER_BAD_OPTION] = "bad option",
        [LARDER_TOO_MANY] = "too many: a fixed table is full",
        [LARDER_BUSY] = "in use",
    };
    return (size_t)status < ARRAY_LENGTH(text) ? text[status] : "unknown status";
}

const char *larder_fatal_text(enum larder_fatal_kind kind) {
    static const char *const text[LARDER_FATAL_KINDS] = {
        [LARDER_FATAL_DOUBLE_FREE] = "double free",
        [LARDER_FATAL_INTERIOR_FREE] = "free of an interior pointer",
        [LARDER_FATAL_FOREIGN_FREE] = "free of foreign memory",
        [LARDER_FATAL_RESERVED_FREE] = "free of reserved memory",
        [LARDER_FATAL_WRONG_CACHE] = "free to the wrong cache",
        [LARDER_FATAL_WRONG_ORDER] = "free with the wrong order or size",
        [LARDER_FATAL_WRONG_ZONE] = "wrong zone",
        [LARDER_FATAL_CACHE_DESTROYED] = "use of a destroyed cache",
        [LARDER_FATAL_RED_ZONE] = "red zone overwritten",
        [LARDER_FATAL_POISON] = "written after free",
        [LARDER_FATAL_NO_MEMORY] = "out of memory",
        [LARDER_FATAL_CORRUPT] = "corrupt",
        [LARDER_FATAL_LOCK] = "lock misused",
        [LARDER_FATAL_ASSERTION] = "assertion failed",
    };
    return (size_t)kind < LARDER_FATAL_KINDS ? text[kind] : "unknown";
}
