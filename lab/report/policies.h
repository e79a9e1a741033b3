/* policies.h: the trace under every policy that larder has, and films of the region heap for traces
 * short enough to be watched. */
#ifndef REPORT_POLICIES_H
#define REPORT_POLICIES_H

#include "json.h"

#include <stdint.h>

#define POLICIES_EVENTS_MAX 500000u /* unless they are asked for: a first fit may take long */
#define FILM_EVENTS_MAX 600u

/* The members "policies" and "films"; reads the file once per policy, so it is not "-". */
void policies_write(const char *path, uint64_t events, struct json *json);

/* The same where they are not wanted: null. */
void policies_write_none(struct json *json);

#endif
