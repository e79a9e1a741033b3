/* family_model.h: the whole family against a model: every function, every operator new and delete,
 * with what goes wrong on purpose.
 *
 * A call is a number, and any number is a call: which function, of which block, how large, how
 * aligned. Each block is filled with a pattern that is looked at when it goes or moves. What
 * differs from the model is written to stdout, and the process aborts.
 */
#ifndef TESTS_LINUX_FAMILY_MODEL_H
#define TESTS_LINUX_FAMILY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_BLOCKS = 48 };

struct model_block {
    unsigned char *memory; /* NULL: none */
    size_t size, align;
    unsigned char first; /* of its pattern */
};

/* What is alive. A thread has a table of its own, and exchanges blocks with a table that all
 * share. */
struct model {
    struct model_block block[MODEL_BLOCKS];
    bool is_alone; /* no other thread calls the family meanwhile */
};

void model_call(struct model *model, uint64_t call);

/* Free what is alive: in this table, and, after the last thread, in the shared one. */
void model_end(struct model *model);
void model_end_shared(void);

#endif
