/* The measured loops. Every contestant runs the same machine code but for its calls: the loops are
 * templates, inlined with `get` and `put` as constants, so that a call is a direct call.
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include "bench.h"

#define TEMPLATE static inline __attribute__((always_inline))

/* As every user of malloc does; and a failure must not pass for speed. */
TEMPLATE void *checked(void *object) {
    if (__builtin_expect(!object, 0))
        die("out of memory in a measured loop");
    return object;
}

typedef void *(*get_function)(void *state);
typedef void (*put_function)(void *state, void *object);

/* One operation: get, put. Depth 1, last in first out. */
TEMPLATE double pair_loop(get_function get, put_function put, void *state, uint64_t count) {
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        void *object = checked(get(state));
        keep(object);
        put(state, object);
    }
    return (double)(clock_ns() - start);
}

/* A batch: get `size`, put them back in the order of `index`. `touch`: write to each, as a user of
 * it would. */
struct batch {
    void *state; /* of get and put */
    uint32_t size;
    const uint32_t *index;
    void **object; /* room for size */
    bool touch;
};

TEMPLATE void batch_once(get_function get, put_function put, const struct batch *batch) {
    void **const object = batch->object;
    for (uint32_t i = 0; i < batch->size; i++) {
        object[i] = checked(get(batch->state));
        if (batch->touch)
            *(volatile uint64_t *)object[i] = i;
    }
    for (uint32_t i = 0; i < batch->size; i++)
        put(batch->state, object[batch->index[i]]);
}

/* One operation: get and put of one object; `count` is a multiple of the batch. */
TEMPLATE double batch_loop(get_function get, put_function put, const struct batch *batch,
                           uint64_t count) {
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i += batch->size)
        batch_once(get, put, batch);
    return (double)(clock_ns() - start);
}

#endif
