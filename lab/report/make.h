/* make.h: a report for another subcommand. */
#ifndef REPORT_MAKE_H
#define REPORT_MAKE_H

#include <stdbool.h>

/* False iff there is no page in this command, or `output` cannot be written; that has been said. */
bool report_can_make(const char *output);

/* What `larder report TRACE -o OUTPUT` does, for a trace that is not kept. An exit code. */
int report_make(const char *trace, const char *output);

#endif
