/* control.h: ask a process that runs on larder's malloc with LARDER_CONTROL set (docs/control.md).
 */
#ifndef LAB_LIVE_CONTROL_H
#define LAB_LIVE_CONTROL_H

#include <jansson.h>
#include <stdint.h>

/* One request, one answer. `process` is a process number, whose socket is where larder puts it by
 * default, or, with a '/' in it, the path of a socket. NULL iff nobody answers there, or the answer
 * is an error or no JSON; that has been said. */
json_t *control_ask(const char *process, const char *request);

/* An unsigned member; 0 iff it is not there or less. */
uint64_t control_number(const json_t *object, const char *name);

#endif
