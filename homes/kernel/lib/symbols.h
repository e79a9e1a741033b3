/* symbols.h: the table that symbols.awk makes. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdint.h>

struct symbol {
    uint32_t offset; /* from the start of the image, ascending; the last marks the end of code */
    uint32_t name;   /* where in symbol_names */
};

extern const struct symbol symbols[];
extern const uint32_t symbol_count;
extern const char symbol_names[];

#endif
