/* kinds.c: see kinds.h. The order is that of the numbers in files: new kinds go to the end. */
#include "trace/kinds.h"

#include <string.h>

enum { MAKES = KIND_MAKES_ID | KIND_HAS_SIZE | KIND_HAS_SITE };
enum { ENDS = KIND_NAMES_ID | KIND_ENDS_ID | KIND_HAS_SITE };

const struct kind trace_kinds[COUNT_TRACE_KINDS] = {
    [TRACE_MALLOC] = {"malloc", MAKES},
    [TRACE_CALLOC] = {"calloc", MAKES},
    [TRACE_ALIGNED] = {"aligned", MAKES | KIND_HAS_ALIGN},
    [TRACE_REALLOC] = {"realloc", KIND_NAMES_ID | KIND_HAS_SIZE | KIND_HAS_SITE},
    [TRACE_FREE] = {"free", ENDS},
    [TRACE_FREE_SIZED] = {"free_sized", ENDS | KIND_HAS_SIZE},
    [TRACE_FAILED] = {"failed", KIND_HAS_SIZE | KIND_HAS_ALIGN | KIND_HAS_SITE},
    [TRACE_THREAD_START] = {"thread_start", 0},
    [TRACE_THREAD_END] = {"thread_end", 0},
    [TRACE_RESIDENT] = {"resident", KIND_HAS_SIZE},
};

unsigned trace_kind_of(const char *name, size_t length) {
    unsigned kind = 0;
    while (kind < COUNT_TRACE_KINDS && (strlen(trace_kinds[kind].name) != length ||
                                        memcmp(trace_kinds[kind].name, name, length) != 0))
        kind++;
    return kind;
}
