/* What tools/fastpath executes: every fast path, often enough that the slow ones are rare.
 *
 * Linked statically, so that the addresses in the log are those of the file.
 */
#include "larder/cache.h"
#include "larder/frames.h"
#include "larder/heap.h"

#include "../bench/core/bench.h"
#include "../bench/core/instance.h"

enum { ROUNDS = 500 };

static void objects(struct larder *larder, struct larder_cache *cache) {
    static const size_t size[] = {24, 64, 200, 1000, 3000};
    void *object = larder_cache_alloc(cache, 0);
    keep(object);
    larder_cache_free(cache, object);
    for (unsigned i = 0; i < sizeof size / sizeof size[0]; i++) {
        object = larder_alloc(larder, size[i]);
        keep(object);
        larder_free(larder, object);
    }
}

static void frames(struct larder *larder, unsigned order) {
    void *block = larder_frames_alloc(larder, order, 0);
    keep(block);
    larder_frames_free(larder, block);
}

int main(void) {
    const struct larder_cache_config config = {.name = "probe", .size_bytes = 64};
    struct instance *instance = instance_open((size_t)1 << 30, 1);
    instance_enter(instance, 0);
    struct larder_cache *cache = larder_cache_create(instance->larder, &config, NULL);
    if (!cache)
        die("larder_cache_create failed");
    for (unsigned i = 0; i < ROUNDS; i++) {
        objects(instance->larder, cache);
        frames(instance->larder, 0);
    }
    instance_close(instance);
    return 0;
}
