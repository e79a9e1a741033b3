/* bytehound.c: bytehound's export for replaying (`bytehound export-replay`), numbers of 64 bits:
 *
 *   count of slots, count of operations, then for each: 1 alloc, 2 free, 3 realloc; slot; µs; size
 *
 * Older versions have no count of operations.
 */
#include "import/import.h"

#include <string.h>

enum { OPERATION_ALLOC = 1, OPERATION_FREE = 2, OPERATION_REALLOC = 3, OPERATION_BYTES = 32 };

static uint64_t number_at(const void *bytes, size_t index) {
    const uint8_t *at = (const uint8_t *)bytes + 8 * index;
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

/* Numbers in front of the first operation, which allocates a slot that there is; 0: it is not so.
 */
static size_t count_front(const char *head, size_t count) {
    for (size_t front = 2; front > 0; front--) {
        if (count >= 8 * front + OPERATION_BYTES && number_at(head, front) == OPERATION_ALLOC &&
            number_at(head, front + 1) < number_at(head, 0) && number_at(head, 0) < UINT32_MAX)
            return front;
    }
    return 0;
}

static bool is_bytehound(const char *head, size_t count) {
    return count_front(head, count) > 0;
}

static bool put(struct import *import, const void *operation, uint64_t *start_us) {
    static const enum trace_kind kinds[] = {[OPERATION_ALLOC] = TRACE_MALLOC,
                                            [OPERATION_FREE] = TRACE_FREE,
                                            [OPERATION_REALLOC] = TRACE_REALLOC};
    const uint64_t kind = number_at(operation, 0), slot = number_at(operation, 1);
    const uint64_t time_us = number_at(operation, 2);
    if (kind < OPERATION_ALLOC || kind > OPERATION_REALLOC)
        return import_fail(import, "an operation is neither 1 (alloc), 2 (free) nor 3 (realloc)");
    if (*start_us == 0)
        *start_us = time_us;
    const struct trace_event event = {.kind = kinds[kind],
                                      .time_ns = (time_us - *start_us) * 1000,
                                      .size_bytes = number_at(operation, 3)};
    import_event(import, &event, slot, slot);
    return true;
}

static bool run(struct import *import) {
    const struct trace_info info = {.recorded_by = "larder import bytehound", .has_time = true};
    size_t count;
    uint64_t start_us = 0;
    const char *head = input_peek(import->input, &count);
    const size_t front = count_front(head, count);
    if (front == 0)
        return import_fail(import, "no allocation follows the count of slots");
    (void)input_bytes(import->input, 8 * front);
    if (!import_begin(import, &info))
        return false;
    for (const void *operation;
         (operation = input_bytes(import->input, OPERATION_BYTES)) != NULL;) {
        if (!put(import, operation, &start_us))
            return false;
    }
    (void)input_peek(import->input, &count);
    return count == 0 || import_fail(import, "the file ends in an operation");
}

const struct importer bytehound_importer = {
    .name = "bytehound",
    .summary = "bytehound export-replay (binary)",
    .is_it = is_bytehound,
    .run = run,
    .is_binary = true,
};
