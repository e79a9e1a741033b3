/* fixture.h: a heap of one region, for tests of single calls. */
#ifndef TESTS_FIT_FIXTURE_H
#define TESTS_FIT_FIXTURE_H

#include "tap.h"

#include "chunk.h"

#define FIXTURE_BYTES 8192u

extern unsigned char fixture_memory[FIXTURE_BYTES];
extern struct larder_fit heap;
extern struct larder_fit_region region;

/* A fresh heap of all of fixture_memory. */
void fixture_make(enum larder_fit_policy policy);

bool fixture_has(enum larder_fit_policy policy);

/* Run `body` on a fresh heap of each policy that is compiled in. */
void fixture_each(void (*body)(void));
extern enum larder_fit_policy fixture_policy;

/* The largest request that can be met now. */
size_t fixture_largest(void);

void fixture_sound(void);

/* Four objects in a row by address, whatever the policy: from one chunk. */
void fixture_in_a_row(unsigned char *at[4], size_t bytes);

#endif
