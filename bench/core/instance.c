#include "instance.h"

#include "larder/ranges.h"

#include "bench.h"

#include <stdlib.h>
#include <string.h>

static const size_t GIB = (size_t)1 << 30;

static void start(struct instance *instance) {
    static struct larder_ranges ranges;
    enum larder_status status = LARDER_OK;
    larder_ranges_init(&ranges);
    status = larder_ranges_add(&ranges, (uint64_t)(uintptr_t)instance->memory, instance->size_bytes,
                               LARDER_RANGE_USABLE);
    if (status != LARDER_OK)
        die("larder_ranges_add: %s", larder_status_text(status));
    const struct larder_config config = {.ranges = &ranges, .slot_count = instance->slot_count};
    instance->larder = larder_init(instance->storage, &config, &status);
    if (!instance->larder)
        die("larder_init: %s", larder_status_text(status));
}

struct instance *instance_open(size_t size_bytes, unsigned slot_count) {
    struct instance *instance =
        calloc(1, sizeof *instance + slot_count * sizeof(struct larder_slot *));
    if (!instance)
        die("no memory for an instance");
    instance->size_bytes = size_bytes;
    instance->slot_count = slot_count;
    instance->memory = larder_port_reserve(size_bytes, GIB);
    instance->storage = larder_port_reserve(sizeof *instance->storage, GIB);
    if (!instance->memory || !instance->storage ||
        !larder_port_commit(instance->memory, size_bytes) ||
        !larder_port_commit(instance->storage, sizeof *instance->storage))
        die("cannot reserve %zu GiB of address space", size_bytes / GIB);
    start(instance);
    for (unsigned i = 0; i < slot_count; i++) {
        instance->slot[i] = larder_slot_attach(instance->larder, i);
        if (!instance->slot[i])
            die("cannot attach slot %u", i);
    }
    return instance;
}

void instance_close(struct instance *instance) {
    for (unsigned i = 0; i < instance->slot_count; i++) {
        instance_enter(instance, i);
        larder_slot_detach(instance->larder, instance->slot[i]);
    }
    larder_port_thread_slot = larder_slot_none;
    larder_fini(instance->larder);
    larder_port_release(instance->memory, instance->size_bytes);
    larder_port_release(instance->storage, sizeof *instance->storage);
    free(instance);
}
