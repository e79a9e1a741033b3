/* library.h: where larder's malloc is, for programs that this command starts. */
#ifndef LAB_LIVE_LIBRARY_H
#define LAB_LIVE_LIBRARY_H

#include <stdbool.h>

/* The absolute path of liblarder.so: `wanted` (may be NULL), $LARDER_LIBRARY, beside this command
 * as it is built, or as it is installed. NULL iff it is at none of these; the first two are not
 * searched further if they name no file. It has been said then. */
const char *library_find(const char *wanted);

/* Put `library` in front of LD_PRELOAD. False iff there is no memory. */
bool library_preload(const char *library);

#endif
