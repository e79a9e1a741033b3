/* context.h: what a program of the kernel keeps over a function call, so that another may run in
 * between: the registers that a callee saves, the stack, and where to go on. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stdint.h>

struct context {
    uint64_t x19_to_x28[10];
    uint64_t frame_pointer;
    uint64_t go_on;
    uint64_t stack;
};

/* Keep the caller's context in *from and go on in *to; returns when somebody switches to *from.
 * With interrupts masked, on both sides. */
void context_switch(struct context *from, struct context *to);

#endif
