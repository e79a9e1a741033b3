/* panic.h: the end of a run that went wrong. */
#ifndef PANIC_H
#define PANIC_H

#include "larder/stats.h"

/* One CPU reports, the others stop. The console no longer waits for locks. A second panic, of
 * another CPU or inside the report, stops at once. */
void panic_enter(void);

/* End the run with code 1. */
_Noreturn void panic_leave(void);

/* What larder found wrong, as larder_fatal_write() words it, and who called. */
_Noreturn void panic_larder(const struct larder_fatal *fatal);

#endif
