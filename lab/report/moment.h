/* moment.h: the whole heap as it was at one moment: its frames, its caches, and what pins it.
 *
 * A view that was taken is kept; taking it looks at every frame and every live block once or twice.
 */
#ifndef REPORT_MOMENT_H
#define REPORT_MOMENT_H

#include "heap.h"
#include "json.h"

#define MOMENT_CELLS 4096u /* at most; a cell is 1, 2, 4 … frames */
#define MOMENT_SITES 4u

/* Some frames side by side. free + unbacked + kept + slab + run = frames of a cell. */
struct cell {
    uint32_t free_backed, unbacked; /* frames, as the next three */
    uint32_t kept;                  /* by the allocator itself: in bins, metadata */
    uint32_t slab, run;
    uint32_t cache;              /* id of the one that has most of the slab frames */
    uint32_t objects;            /* live ones that begin here or reach in */
    uint64_t live;               /* their bytes here, as asked for */
    uint64_t oldest, youngest;   /* born; only if objects > 0 */
    uint32_t site[MOMENT_SITES]; /* that hold most bytes here, roughly by rank; 0: none */
    uint64_t site_bytes[MOMENT_SITES];
};

struct moment_cache {
    char name[32];
    uint32_t id;
    bool is_internal;
    uint64_t object_bytes, slab_bytes, slabs, live, cached, requested;
};

/* What pins memory: live blocks of one call site and size in units that are mostly free, by how
 * many blocks hold the unit. */
enum pin_unit { PIN_FRAME, PIN_SLAB, PIN_PAGEBLOCK, PIN_UNITS };
enum { PIN_HOLDERS = 5 }; /* classes: 1, 2, up to 4, 8, 16 holders */

struct pin {
    enum pin_unit unit;
    uint32_t holders; /* class of the number of blocks in each unit, 0 .. PIN_HOLDERS - 1 */
    uint32_t site;
    uint64_t usable_bytes; /* of each block: its size class */
    uint64_t blocks, live_bytes;
    uint64_t units;        /* held by these blocks alone */
    uint64_t alone_bytes;  /* what those units would give back if these blocks went */
    uint64_t shared_bytes; /* of units that others hold too: these blocks' share by their number */
    uint64_t oldest, youngest;
};

struct moment {
    uint64_t time, event;
    bool is_live; /* of a running process: no event, ages or sizes asked for are known */
    struct heap_amounts amounts;
    uint32_t cell_frames; /* a power of two */
    uint32_t cell_count;
    struct cell *cell;
    struct moment_cache *cache;
    uint32_t cache_count;
    struct pin *pin; /* of each unit the PINS_MAX that would give back most */
    uint32_t pin_count;
};

#define PINS_MAX 60u

/* Cost: O(frames + blocks). */
void moment_take(struct moment *moment, struct heap *heap, const struct heap_amounts *amounts,
                 uint64_t time, uint64_t event);
void moment_drop(struct moment *moment);

/* Larger cells, until one is `cell_frames` frames. */
void moment_coarsen(struct moment *moment, uint32_t cell_frames);

/* An object. Of the cells, those that differ from the moment `before` (NULL: from an empty one).
 * `width`: of a point of the grid. */
void moment_write(const struct moment *moment, const struct moment *before, uint64_t width,
                  struct json *json);

/* The parts of moment_take(), a file each. */
void moment_take_cells(struct moment *moment, struct heap *heap);
void moment_take_caches(struct moment *moment, struct heap *heap);
void moment_take_pins(struct moment *moment, struct heap *heap);

#endif
