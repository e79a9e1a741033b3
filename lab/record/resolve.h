/* resolve.h: what the addresses of a recorded program mean. */
#ifndef LAB_RECORD_RESOLVE_H
#define LAB_RECORD_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

/* Give the call sites of a trace their functions, files, lines and modules, out of the program's
 * and its libraries' symbols and debugging information. `maps` are texts in the form of
 * /proc/PID/maps. The file is replaced when all is done; it stays as it is iff that fails (false).
 */
bool resolve_trace(const char *path, char *const *maps, size_t count_maps);

#endif
