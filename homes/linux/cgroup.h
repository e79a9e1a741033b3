/* cgroup.h: what the control groups of this process allow it. */
#ifndef CGROUP_H
#define CGROUP_H

#include <stddef.h>

/* The least memory.max from the process's own group upwards (cgroup v2), in bytes; 0 iff there is
 * none. `where` is "1", or the folder of a group to be read instead. Only system calls. */
size_t cgroup_limit(const char *where);

#endif
