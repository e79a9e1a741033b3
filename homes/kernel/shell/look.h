/* look.h: parts of the looking commands that the demonstration shows too. */
#ifndef SHELL_LOOK_H
#define SHELL_LOOK_H

/* The range table, a line each. */
void look_ranges(void);

#endif
