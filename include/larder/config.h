/* larder/config.h: every compile-time number of the core, with its unit and its default.
 *
 * A home overrides any of them by defining LARDER_CONFIG_HEADER as a quoted file name; nothing else
 * in the core is configurable at compile time. The values must agree in every file of one build.
 */
#ifndef LARDER_CONFIG_H
#define LARDER_CONFIG_H

#ifdef LARDER_CONFIG_HEADER
#include LARDER_CONFIG_HEADER
#endif

/* log2 of the bytes in a frame. 12 (4 KiB) is the allocation unit of the core on every machine,
 * whatever the page size of the operating system below it. */
#ifndef LARDER_FRAME_SHIFT
#define LARDER_FRAME_SHIFT 12
#endif

/* Largest buddy order: a block of order k is 2^k frames. 9 (2 MiB) to 18 (1 GiB); longer runs are
 * looked for. */
#ifndef LARDER_ORDER_MAX
#define LARDER_ORDER_MAX 18
#endif

/* Zones (address limits). 1 to 8. */
#ifndef LARDER_ZONES_MAX
#define LARDER_ZONES_MAX 4
#endif

/* Execution slots (CPUs, threads, virtual CPUs) that can be attached at once. */
#ifndef LARDER_SLOTS_MAX
#define LARDER_SLOTS_MAX 1024
#endif

/* Object caches, typed and size-class together, and 24 numbers that are none. 128 to 65,536. Each
 * costs 16 bytes in every slot; freeing takes a few instructions more from number 256 on. */
#ifndef LARDER_CACHES_MAX
#define LARDER_CACHES_MAX 1024
#endif

/* Entries of a range table: what a machine reports plus what start-up takes from it. */
#ifndef LARDER_RANGES_MAX
#define LARDER_RANGES_MAX 128
#endif

/* Largest request of the general heap that is served from a size class, in bytes; above it a
 * request is an exact run of frames. A power of two from 4 KiB to 64 KiB. */
#ifndef LARDER_CLASS_MAX_BYTES
#define LARDER_CLASS_MAX_BYTES 32768
#endif

/* What the objects of one full magazine may add up to, in bytes; the capacity of a magazine follows
 * from it and from the object's size, so large objects are never hoarded. */
#ifndef LARDER_MAGAZINE_BYTES
#define LARDER_MAGAZINE_BYTES 32768
#endif

/* Full magazines that a cache keeps in its depot, for slots that take and slots that give. What
 * lies there pins the slabs it came from. 1 or more. */
#ifndef LARDER_DEPOT_MAGAZINES
#define LARDER_DEPOT_MAGAZINES 16
#endif

/* Empty slabs that a cache keeps for the working-set rule to judge, in bytes, beside an eighth of
 * those in use; what is more goes back at once. */
#ifndef LARDER_EMPTY_BYTES
#define LARDER_EMPTY_BYTES (1u << 20)
#endif

/* 1: our own mistakes are assertions (see core/check.h). 0: they compile to nothing. */
#ifndef LARDER_ASSERTIONS
#define LARDER_ASSERTIONS 0
#endif

#endif
