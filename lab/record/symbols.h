/* symbols.h: addresses to names, by elfutils' libdw. */
#ifndef LAB_RECORD_SYMBOLS_H
#define LAB_RECORD_SYMBOLS_H

#include "trace/reader.h"

struct symbols;

struct symbols *symbols_make(char *const *maps, size_t count_maps);
void symbols_free(struct symbols *symbols);

/* Fill in what is known about frame->address, which is that of a return: one behind a call. Texts
 * live as long as symbols. */
void symbols_resolve(struct symbols *symbols, struct trace_frame *frame);

#endif
