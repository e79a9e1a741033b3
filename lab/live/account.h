/* account.h: what the statistics of a process say, for a person. The statistics are the JSON of
 * larder_process_write_json() (include/larder/process.h). */
#ifndef LAB_LIVE_ACCOUNT_H
#define LAB_LIVE_ACCOUNT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* Peak live, peak resident, the parts of the heap at its peak, and what of it was waste, by cause;
 * time in slow paths as a share of cpu_ns (0: not known). Missing members count as 0. */
void account_write(FILE *out, const json_t *statistics, uint64_t cpu_ns);

/* statistics[name].part as a number; 0 iff it is not there. */
uint64_t account_amount(const json_t *statistics, const char *name, const char *part);

#endif
