/* magazine.c: the moves between bins and depots. See magazine.h for the idea and for who guards
 * what. */
#include "magazine.h"

const struct magazine magazine_none = {0};

void *bin_take(struct bin *bin) {
    if (bin->loaded->count == 0) {
        bin_swap(bin);
    }
    void *object;
    return magazine_pop(bin->loaded, &object) ? object : NULL;
}

bool bin_give(struct bin *bin, void *object) {
    if (bin->loaded->count == bin->loaded->capacity) {
        bin_swap(bin);
    }
    return magazine_push(bin->loaded, object);
}

static struct magazine *pop(struct magazine **head) {
    struct magazine *magazine = *head;
    if (magazine != NULL) {
        *head = magazine->next;
    }
    return magazine;
}

void depot_put(struct depot *depot, struct magazine *magazine) {
    bool has_objects = magazine->count > 0;
    struct magazine **head = has_objects ? &depot->full : &depot->empty;
    magazine->next = *head;
    *head = magazine;
    depot->count_full += has_objects;
    depot->count_empty += !has_objects;
    depot->objects += magazine->count;
}

struct magazine *depot_get_full(struct depot *depot) {
    struct magazine *magazine = pop(&depot->full);
    if (magazine != NULL) {
        depot->count_full--;
        depot->objects -= magazine->count;
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
static void rotate(struct depot *depot, struct bin *bin, struct magazine *fresh) {
    if (magazine_is_real(bin->previous)) {
        depot_put(depot, bin->previous);
    }
    bin->previous = bin->loaded;
    bin->loaded = fresh;
}

bool depot_load(struct depot *depot, struct bin *bin) {
    struct magazine *full = depot_get_full(depot);
    if (full == NULL) {
        return false;
    }
    rotate(depot, bin, full);
    return true;
}

bool depot_unload(struct depot *depot, struct bin *bin) {
    struct magazine *empty = depot_get_empty(depot);
    if (empty == NULL) {
        return false;
    }
    rotate(depot, bin, empty);
    return true;
}
