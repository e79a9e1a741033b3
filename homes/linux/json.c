/* json.c: see json.h. */
#include "json.h"

#include "output.h"
#include "process.h"

void json_number(const struct larder_sink *sink, const char *name, uint64_t value) {
    text_put(sink, "\"");
    text_put(sink, name);
    text_put(sink, "\":");
    text_decimal(sink, value, 0);
}

void json_address(const struct larder_sink *sink, const char *name, uintptr_t value) {
    text_put(sink, "\"");
    text_put(sink, name);
    text_put(sink, "\":\"0x");
    text_hex(sink, value, 1);
    text_put(sink, "\"");
}

/* Names of caches are printable and may hold what JSON escapes. */
void json_string(const struct larder_sink *sink, const char *text) {
    text_put(sink, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            text_put(sink, "\\");
        sink->write(sink->context, text, 1);
    }
    text_put(sink, "\"");
}

struct cache_list {
    const struct larder_sink *sink;
    bool has_one;
};

static void json_cache(struct larder_cache *cache, void *context) {
    struct cache_list *list = context;
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    if (stats.slabs_made == 0)
        return;
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"object_bytes", stats.object_bytes},
        {"stride_bytes", stats.stride_bytes},
        {"live", stats.live},
        {"in_magazines", stats.in_magazines},
        {"in_depot", stats.in_depot},
        {"in_quarantine", stats.in_quarantine},
        {"capacity", stats.capacity},
        {"taken_max", stats.taken_max},
        {"slab_bytes", stats.slab_bytes},
        {"slabs", stats.slabs},
        {"slabs_empty", stats.slabs_empty},
        {"slabs_made", stats.slabs_made},
        {"refills", stats.refills},
        {"drains", stats.drains},
    };
    text_put(list->sink, list->has_one ? ",\n    {\"name\":" : "\n    {\"name\":");
    json_string(list->sink, stats.name);
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        text_put(list->sink, ",");
        json_number(list->sink, numbers[i].name, numbers[i].value);
    }
    text_put(list->sink, stats.is_internal ? ",\"is_internal\":true}" : ",\"is_internal\":false}");
    list->has_one = true;
}

void json_caches(const struct larder_sink *sink) {
    struct cache_list list = {.sink = sink};
    text_put(sink, "[");
    if (process_is_started())
        larder_caches_each(PROCESS, json_cache, &list);
    text_put(sink, "\n  ]");
}
