/* hold.h: memory that a person took at the prompt and has not given back, by number. */
#ifndef SHELL_HOLD_H
#define SHELL_HOLD_H

#include "kernel.h"

#define HOLDS_MAX 256u

struct hold {
    void *pointer; /* NULL: this number is free */
    uint64_t size_bytes;
    bool frames; /* from "frames": given back as frames */
};

/* The lowest free number from 1, or 0 iff all HOLDS_MAX are taken. */
unsigned hold_free_number(void);

void hold_put(unsigned number, void *pointer, uint64_t size_bytes, bool frames);

/* NULL iff the number is none, or free. */
const struct hold *hold_get(uint64_t number);

/* Give the memory back. */
void hold_drop(unsigned number);

#endif
