/* snapshots.h: snapshots of one running process as a document like that of a trace: what a heap
 * that runs does not know is null in it, or left out (docs/report-format.md). */
#ifndef REPORT_SNAPSHOTS_H
#define REPORT_SNAPSHOTS_H

#include "json.h"

#include <stdbool.h>
#include <stddef.h>

#define SNAPSHOTS_MAX 64u

struct snapshots;

/* In the order of their times. NULL iff one is none, they are of several processes, or there are
 * more than SNAPSHOTS_MAX; says so. */
struct snapshots *snapshots_read(char *const *paths, size_t count);
void snapshots_close(struct snapshots *snapshots);

/* All members of the document. */
void snapshots_write(struct snapshots *snapshots, struct json *json);

#endif
