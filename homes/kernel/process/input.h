/* input.h: what is typed while a program runs in the foreground. */
#ifndef PROCESS_INPUT_H
#define PROCESS_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct process;

/* For whoever reads. What does not fit is lost. */
void input_put(unsigned char byte);

/* Readers that find nothing get the end, once for each call of this. */
void input_end(void);

/* Forget what was typed and not read. */
void input_clear(void);

/* The calling process waits for input: what there is, at most `bytes`; 0: the end. */
size_t input_read(struct process *process, unsigned char *buffer, size_t bytes);

#endif
