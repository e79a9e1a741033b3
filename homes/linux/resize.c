/* resize.c: see resize.h.
 *
 * A block that is the last of the heap grows with the heap. It first takes all that is free behind
 * it: then what the heap grows by follows it directly, unless another thread is faster.
 */
#include "resize.h"

#include "larder/heap.h"
#include "larder/process.h"

#include "guests.h"
#include "process.h"

#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* Bytes from the block's start to the end of what is usable. */
static size_t bytes_to_end(const void *pointer) {
    return process_usable_bytes() - process_offset(pointer);
}

/* True iff the block ends with the heap now; it has only grown. */
static bool take_rest(void *pointer, size_t usable) {
    const size_t to_end = bytes_to_end(pointer);
    return usable == to_end || larder_try_resize(PROCESS, pointer, to_end);
}

static bool grow_with_heap(void *pointer, size_t usable, size_t size_bytes) {
    if (!take_rest(pointer, usable))
        return false;
    const size_t seen = process_usable_bytes(), to_end = bytes_to_end(pointer);
    if (process_grow(seen, size_bytes - to_end, LARDER_FRAME_BYTES) &&
        larder_try_resize(PROCESS, pointer, size_bytes))
        return true;
    (void)larder_try_resize(PROCESS, pointer, usable);
    return false;
}

bool resize_in_place(void *pointer, size_t size_bytes) {
    if (larder_try_resize(PROCESS, pointer, size_bytes))
        return true;
    const size_t usable = larder_size_of(PROCESS, pointer);
    return usable > LARDER_CLASS_MAX_BYTES && size_bytes > bytes_to_end(pointer) &&
           larder_good_size(size_bytes) != 0 && grow_with_heap(pointer, usable, size_bytes);
}

EXPORT bool larder_process_try_resize(void *pointer, size_t size_bytes) {
    return size_bytes != 0 && process_owns(pointer) && !guests_find(pointer) &&
           resize_in_place(pointer, size_bytes);
}
