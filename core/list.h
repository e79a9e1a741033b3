/* list.h: a circular doubly linked list whose links are embedded in its objects.
 *
 * The head is a link like any other, so insertion and removal have no special cases. A link that is
 * on no list is poisoned: touching it again faults or trips the assertion, instead of silently
 * repairing a wrong list. Not thread-safe: the owner's lock guards it.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include "check.h"

struct list {
    struct list *next;
    struct list *prev;
};

/* Odd and non-canonical on every 64-bit machine: no object lies there. */
#define LIST_POISON ((struct list *)(uintptr_t)0xdead4c157dead4c1u)

#define LIST_ENTRY(link, type, member) CONTAINER_OF(link, type, member)

/* The body may unlink `link`. */
#define LIST_EACH(link, head)                                                                      \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head);              \
         link = link##_next, link##_next = link->next)

static inline void list_init(struct list *head) {
    head->next = head;
    head->prev = head;
}

static inline bool list_is_empty(const struct list *head) {
    return head->next == head;
}

static inline bool list_is_linked(const struct list *link) {
    return link->next != LIST_POISON;
}

/* A link that is on no list yet. */
static inline void list_link_init(struct list *link) {
    link->next = LIST_POISON;
    link->prev = LIST_POISON;
}

static inline void list_insert_between(struct list *link, struct list *prev, struct list *next) {
    link->next = next;
    link->prev = prev;
    prev->next = link;
    next->prev = link;
}

static inline void list_push_front(struct list *head, struct list *link) {
    list_insert_between(link, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *link) {
    list_insert_between(link, head->prev, head);
}

static inline void list_unlink(struct list *link) {
    ASSERT(link->next->prev == link && link->prev->next == link);
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_link_init(link);
}

/* The first link, unlinked; NULL iff the list is empty. */
static inline struct list *list_pop_front(struct list *head) {
    struct list *link = head->next;
    if (link == head) {
        return NULL;
    }
    list_unlink(link);
    return link;
}

#endif
