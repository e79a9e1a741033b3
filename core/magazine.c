/* magazine.c: the moves between bins and depots. See magazine.h for the idea and for who guards
 * what. */
#include "magazine.h"

const struct magazine_none magazine_none = {.first = 1};

void **magazine_gap(struct magazine *magazine, size_t of) {
    return magazine_objects(magazine) - of;
}

void magazine_fill(struct magazine *magazine, size_t of, size_t count) {
    void **gap = magazine_gap(magazine, of);
    size_t missing = of - count;
    for (size_t i = missing == 0 ? 0 : count; i-- > 0;) {
        gap[i + missing] = gap[i];
    }
    magazine->first -= count;
}

READS_GLIMPSES uint64_t magazine_glimpse_count(struct magazine *const *place) {
    const struct magazine *magazine = GLIMPSE(place);
    return GLIMPSE(&magazine_block(magazine)->capacity) - (GLIMPSE(&magazine->first) - 1);
}

static void bin_swap(const struct bin *bin) {
    struct magazine *loaded = *bin->loaded;
    *bin->loaded = *bin->previous;
    *bin->previous = loaded;
}

unsigned bin_unload(const struct bin *bin, struct magazine *held[2]) {
    struct magazine *const magazine[] = {*bin->loaded, *bin->previous};
    unsigned count = 0;
    __atomic_store_n(bin->loaded, magazine_nothing(), __ATOMIC_RELAXED);
    *bin->previous = magazine_nothing();
    for (unsigned i = 0; i < ARRAY_LENGTH(magazine); i++) {
        if (magazine_is_real(magazine[i])) {
            held[count++] = magazine[i];
        }
    }
    return count;
}

void *bin_take(const struct bin *bin) {
    if (magazine_is_empty(*bin->loaded)) {
        bin_swap(bin);
    }
    void *object;
    return magazine_pop(*bin->loaded, &object) ? object : NULL;
}

bool bin_give(const struct bin *bin, void *object) {
    if (magazine_is_full(*bin->loaded)) {
        bin_swap(bin);
    }
    return magazine_push(*bin->loaded, object);
}

static struct magazine *pop(struct magazine **head) {
    struct magazine *magazine = *head;
    if (magazine != NULL) {
        *head = magazine_block(magazine)->next;
    }
    return magazine;
}

void depot_put(struct depot *depot, struct magazine *magazine) {
    bool has_objects = !magazine_is_empty(magazine);
    struct magazine **head = has_objects ? &depot->full : &depot->empty;
    magazine_block(magazine)->next = *head;
    *head = magazine;
    depot->count_full += has_objects;
    depot->count_empty += !has_objects;
    depot->objects += magazine_count(magazine);
}

void depot_bring_forward(struct depot *depot, struct magazine **at) {
    struct magazine *next = pop(at);
    magazine_block(next)->next = depot->full;
    depot->full = next;
}

struct magazine *depot_get_full(struct depot *depot) {
    struct magazine *magazine = pop(&depot->full);
    if (magazine != NULL) {
        depot->count_full--;
        depot->objects -= magazine_count(magazine);
        depot->least_full =
            depot->count_full < depot->least_full ? depot->count_full : depot->least_full;
    }
    return magazine;
}

struct magazine *depot_get_empty(struct depot *depot) {
    struct magazine *magazine = pop(&depot->empty);
    depot->count_empty -= magazine != NULL;
    return magazine;
}

/* `fresh` becomes loaded, loaded becomes previous, and what was previous goes to the depot. */
static void rotate(struct depot *depot, const struct bin *bin, struct magazine *fresh) {
    if (magazine_is_real(*bin->previous)) {
        depot_put(depot, *bin->previous);
    }
    *bin->previous = *bin->loaded;
    *bin->loaded = fresh;
}

bool depot_load(struct depot *depot, const struct bin *bin) {
    struct magazine *full = depot_get_full(depot);
    if (full == NULL) {
        return false;
    }
    rotate(depot, bin, full);
    return true;
}

bool depot_unload(struct depot *depot, const struct bin *bin) {
    struct magazine *empty = depot_get_empty(depot);
    if (empty == NULL) {
        return false;
    }
    rotate(depot, bin, empty);
    return true;
}
