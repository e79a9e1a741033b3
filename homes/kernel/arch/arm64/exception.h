/* exception.h: what the vectors save, and what is done about it. */
#ifndef EXCEPTION_H
#define EXCEPTION_H

#include <stdbool.h>
#include <stdint.h>

/* As vectors.S pushes it. */
struct exception_frame {
    uint64_t x[31];
    uint64_t sp; /* of what was interrupted */
    uint64_t elr;
    uint64_t spsr;
    uint64_t esr;
    uint64_t far;
    uint64_t vector; /* number of the vector, if it is one that should not happen */
    uint64_t padding;
    uint64_t record[2]; /* frame pointer and return address: a stack trace goes through here */
};

_Static_assert(sizeof(struct exception_frame) % 16 == 0, "the stack stays aligned");

/* From vectors.S. */
void exception_sync(struct exception_frame *frame);
void exception_unexpected(struct exception_frame *frame);

/* A fault that is not a mistake: the instruction is run again. Asked before a fault is reported;
 * metadata.c answers for its window. */
bool exception_is_spurious(uint64_t address);

/* Accesses that may fault: where execution goes on if the one at `at` does. `at` is the address of
 * the instruction, or, for a jump, the return address. Written in vectors.S. */
struct exception_fixup {
    uint64_t at;
    uint64_t resume;
};
extern const struct exception_fixup exception_fixups[], exception_fixups_end[];

/* Print the return addresses on the stack, from this frame pointer on. */
void stack_trace(uint64_t frame_pointer);

#endif
