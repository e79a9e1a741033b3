/* callers.h: what lives in a process by call site, as its answer to "leaks" has it. */
#ifndef LAB_LIVE_CALLERS_H
#define LAB_LIVE_CALLERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* False iff the process keeps no call sites: it was started without LARDER_DEBUG=U. */
bool callers_are_kept(const json_t *answer);

/* A table on standard output, most bytes first, of at most `count_max` sites. Each line ends with
 * `line_end`. */
void callers_write(const json_t *answer, size_t count_max, const char *line_end);

#endif
