/* lock.c: set-up of locks, and in builds with assertions the checks of order, ownership and
 * interrupt state. */
#include "lock.h"

#include "check.h"

#if LARDER_ASSERTIONS

void lock_book_init(struct lock_book *book, struct larder *larder) {
    book->larder = larder;
}

void lock_init(struct lock *lock, enum lock_rank rank, struct lock_book *book) {
    *lock = (struct lock){.rank = rank, .book = book};
}

/* The ranks held by this slot; NULL for callers without a slot, which cannot be told apart. */
static uint8_t *held_here(const struct lock *lock) {
    struct larder_slot *slot = larder_port_slot(lock->book->larder);
    return slot == larder_slot_none ? NULL : &lock->book->held[larder_slot_index(slot)];
}

static void expect(bool condition, const struct lock *lock, const char *detail) {
    if (!condition) {
        fatal_raise(LARDER_FATAL_LOCK, lock, "lock", detail);
    }
}

void lock_acquire(struct lock *lock) {
    uintptr_t state = larder_port_slot_enter();
    uint8_t *held = held_here(lock);
    expect(held == NULL || *held >> lock->rank == 0, lock,
           "taken while a lock of the same or a higher rank is held");
    larder_port_lock_acquire(&lock->port);
    lock->slot_state = state;
    if (held != NULL) {
        *held |= (uint8_t)(1u << lock->rank);
    }
}

void lock_release(struct lock *lock) {
    uintptr_t state = lock->slot_state;
    uint8_t *held = held_here(lock);
    expect(held == NULL || (*held >> lock->rank & 1) != 0, lock,
           "released by who does not hold it");
    if (held != NULL) {
        *held &= (uint8_t) ~(1u << lock->rank);
    }
    larder_port_lock_release(&lock->port);
    larder_port_slot_leave(state);
}

void lock_assert_held(const struct lock *lock) {
    uint8_t *held = held_here(lock);
    expect(larder_port_lock_is_held(&lock->port) &&
               (held == NULL || (*held >> lock->rank & 1) != 0),
           lock, "needed but not held");
}

#else

void lock_book_init(struct lock_book *book, struct larder *larder) {
    (void)larder;
    *book = (struct lock_book){0};
}

void lock_init(struct lock *lock, enum lock_rank rank, struct lock_book *book) {
    (void)rank;
    (void)book;
    *lock = (struct lock){0};
}

#endif
