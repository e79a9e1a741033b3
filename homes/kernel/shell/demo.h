/* demo.h: the chapters of the demonstration. Each shows something and claims things about it; a
 * claim is computed, and one that does not hold makes the verdict "failed". */
#ifndef SHELL_DEMO_H
#define SHELL_DEMO_H

#include "kernel.h"

/* The whole demonstration; `since` says when the free frames it compares with were counted ("as at
 * boot"). True iff every claim held. */
bool demo_show(const char *since);

/* Print the claim and whether it holds; remember if it does not. Result: holds. */
bool demo_claim(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A numbered heading. */
void demo_chapter(const char *title);

/* Chapters in files of their own. */
void demo_buddies(void); /* demo_buddies.c */
void demo_caches(void);  /* demo_memory.c */
void demo_heap(void);
void demo_picture(void);

#endif
