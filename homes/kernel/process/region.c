/* region.c: see region.h. */
#include "region.h"

#include "kernel.h"
#include "objects.h"

#define REGION_OF(at) LIST_ENTRY(at, struct region, link)

void region_list_init(struct region_list *list) {
    list_init(&list->head);
    list->count = 0;
}

struct region *region_from(const struct region_list *list, uint64_t address) {
    LIST_EACH(link, &list->head)
    if (REGION_OF(link)->end > address)
        return REGION_OF(link);
    return NULL;
}

struct region *region_next(const struct region_list *list, const struct region *region) {
    return region->link.next == &list->head ? NULL : REGION_OF(region->link.next);
}

struct region *region_find(const struct region_list *list, uint64_t address) {
    struct region *region = region_from(list, address);

    return region != NULL && region->start <= address ? region : NULL;
}

struct region *region_add(struct region_list *list, const struct region *region) {
    struct region *behind = region_from(list, region->start);
    struct list *next = behind != NULL ? &behind->link : &list->head;
    struct region *added = object_take(OBJECT_REGION);

    if (added == NULL)
        return NULL;
    *added = *region;
    list_insert_between(&added->link, next->prev, next);
    list->count++;
    return added;
}

void region_remove(struct region_list *list, struct region *region) {
    list_unlink(&region->link);
    list->count--;
    object_give(OBJECT_REGION, region);
}

bool region_is_hole(const struct region_list *list, uint64_t start, uint64_t end) {
    const struct region *region = region_from(list, start);

    return region == NULL || region->start >= end;
}

uint64_t region_hole(const struct region_list *list, uint64_t from, uint64_t end,
                     uint64_t size_bytes, uint64_t align_bytes) {
    const struct region *region = region_from(list, from);
    uint64_t at = from;

    for (; region != NULL; region = region_next(list, region)) {
        at = (at + align_bytes - 1) & ~(align_bytes - 1);
        if (at + size_bytes <= region->start)
            break;
        at = region->end;
    }
    at = (at + align_bytes - 1) & ~(align_bytes - 1);
    return at <= end && size_bytes <= end - at ? at : 0;
}

/* ---- Cutting and joining --------------------------------------------------------------------- */

/* What of the file is left for a part that begins `offset` bytes behind the start. */
static void skip_source(struct region *region, uint64_t offset) {
    if (region->source == NULL || offset >= region->source_bytes) {
        region->source = NULL;
        region->source_bytes = 0;
    } else {
        region->source += offset;
        region->source_bytes -= offset;
    }
}

bool region_split(struct region_list *list, uint64_t address) {
    struct region *region = region_find(list, address);
    struct region upper;

    if (region == NULL || region->start == address)
        return true;
    upper = *region;
    upper.start = address;
    skip_source(&upper, address - region->start);
    region->end = address; /* or the new one would find its place before it */
    if (region_add(list, &upper) == NULL) {
        region->end = upper.end;
        return false;
    }
    if (region->source_bytes > address - region->start)
        region->source_bytes = address - region->start;
    return true;
}

/* Parts of a file stay apart: they are few. */
static bool are_alike(const struct region *a, const struct region *b) {
    return a->end == b->start && a->kind == b->kind && a->protection == b->protection &&
           a->source == NULL && b->source == NULL;
}

void region_merge(struct region_list *list, uint64_t start, uint64_t end) {
    struct region *region = region_from(list, start == 0 ? 0 : start - 1);
    struct region *next;

    while (region != NULL && (next = region_next(list, region)) != NULL && region->start < end) {
        if (are_alike(region, next)) {
            region->end = next->end;
            region_remove(list, next);
        } else {
            region = next;
        }
    }
}
