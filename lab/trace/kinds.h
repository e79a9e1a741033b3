/* kinds.h: which kinds of events there are in files: their names, and what each says. */
#ifndef LAB_TRACE_KINDS_H
#define LAB_TRACE_KINDS_H

#include "trace/event.h"

#include <stddef.h>

enum { COUNT_TRACE_KINDS = TRACE_RESIDENT + 1 };

/* What an event of a kind has beside time and thread. */
enum {
    KIND_MAKES_ID = 1, /* the id is not written: it is the lowest that is not live */
    KIND_NAMES_ID = 2,
    KIND_ENDS_ID = 4, /* and it is not live any more */
    KIND_HAS_SIZE = 8,
    KIND_HAS_ALIGN = 16,
    KIND_HAS_SITE = 32,
};

struct kind {
    const char *name; /* in the text form */
    unsigned has;
};

extern const struct kind trace_kinds[COUNT_TRACE_KINDS];

/* COUNT_TRACE_KINDS iff no kind has that name. */
unsigned trace_kind_of(const char *name, size_t length);

#endif
