/* guests.c: see guests.h. A list: programs have one or two such heaps, if any. */
#include "guests.h"

#include "larder/port.h"

#include "process.h"

#define EXPORT __attribute__((visibility("default")))

struct larder_guest *guests; /* written under the lock; atomic, for the look without it */
static larder_port_lock_t lock;

static bool holds(const struct larder_guest *guest, const void *pointer) {
    return (uintptr_t)pointer - (uintptr_t)guest->memory < guest->size_bytes;
}

struct larder_guest *guests_find_slow(const void *pointer) {
    larder_port_lock_acquire(&lock);
    struct larder_guest *guest = guests;
    while (guest && !holds(guest, pointer))
        guest = guest->next;
    larder_port_lock_release(&lock);
    return guest;
}

/* In a slab the fast path of free() takes any address for an object. */
static bool is_inside_object(const void *pointer) {
    struct larder_what what;
    if (!process_owns(pointer))
        return false;
    larder_whatis(PROCESS, pointer, &what);
    return what.kind == LARDER_WHAT_OBJECT;
}

static bool is_whole(const struct larder_guest *guest) {
    const uintptr_t start = (uintptr_t)guest->memory;
    return start != 0 && guest->size_bytes != 0 && start + guest->size_bytes > start &&
           guest->free && guest->realloc && guest->size_of && !is_inside_object(guest->memory);
}

static bool overlaps(const struct larder_guest *guest) {
    for (const struct larder_guest *other = guests; other; other = other->next) {
        if (holds(guest, other->memory) || holds(other, guest->memory))
            return true;
    }
    return false;
}

EXPORT bool larder_process_adopt(struct larder_guest *guest) {
    if (!is_whole(guest))
        return false;
    larder_port_lock_acquire(&lock);
    const bool is_free = !overlaps(guest);
    if (is_free) {
        guest->next = guests;
        __atomic_store_n(&guests, guest, __ATOMIC_RELAXED);
    }
    larder_port_lock_release(&lock);
    return is_free;
}

EXPORT bool larder_process_disown(struct larder_guest *guest) {
    larder_port_lock_acquire(&lock);
    struct larder_guest **link = &guests;
    while (*link && *link != guest)
        link = &(*link)->next;
    const bool is_ours = *link != NULL;
    if (is_ours)
        __atomic_store_n(link, guest->next, __ATOMIC_RELAXED);
    larder_port_lock_release(&lock);
    return is_ours;
}

void guests_lock(void) {
    larder_port_lock_acquire(&lock);
}

void guests_unlock(void) {
    larder_port_lock_release(&lock);
}
