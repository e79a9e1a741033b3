/* An instance of larder over address space that costs nothing until it is touched. */
#ifndef BENCH_INSTANCE_H
#define BENCH_INSTANCE_H

#include "larder/larder.h"
#include "larder/port.h"

struct instance {
    struct larder *larder;
    struct larder_storage *storage;
    void *memory;
    size_t size_bytes;
    unsigned slot_count;
    struct larder_slot *slot[]; /* slot_count of them, all attached */
};

/* `size_bytes` is a multiple of 1 GiB. Dies if it cannot. */
struct instance *instance_open(size_t size_bytes, unsigned slot_count);
void instance_close(struct instance *instance);

/* The calling thread is slot `index` of this instance from now on. */
static inline void instance_enter(const struct instance *instance, unsigned index) {
    larder_port_thread_slot = instance->slot[index];
}

#endif
