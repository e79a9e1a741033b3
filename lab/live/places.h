/* places.h: call sites of a running process as lines of its source. */
#ifndef LAB_LIVE_PLACES_H
#define LAB_LIVE_PLACES_H

#include "record/symbols.h"

#include <jansson.h>

/* The symbols of the process that gave the answer. NULL iff its mappings cannot be read. */
struct symbols *places_open(const json_t *answer);
void places_close(struct symbols *symbols);

/* What is known of a site, "0x…"; texts that are not are "". `symbols` may be NULL. */
struct trace_frame places_find(struct symbols *symbols, const char *site);

#endif
