/* json.h: numbers and names as JSON. */
#ifndef JSON_H
#define JSON_H

#include "larder/stats.h"

/* "name":value. `name` is one of our own: nothing to escape. */
void json_number(const struct larder_sink *sink, const char *name, uint64_t value);

/* "name":"0x…" */
void json_address(const struct larder_sink *sink, const char *name, uintptr_t value);

/* A string; what it holds is printable. */
void json_string(const struct larder_sink *sink, const char *text);

/* [ … ]: one object for each cache that ever had a slab. */
void json_caches(const struct larder_sink *sink);

#endif
