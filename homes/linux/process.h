/* process.h: the one instance of this process, and the memory below it.
 *
 * The instance stands at a link-time constant. Its RAM is one reservation of address space, of
 * which a prefix is usable; it grows in steps, up to the limit. Growing is what happens before an
 * allocation reclaims: addresses cost nothing, and the system backs pages when they are touched.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "larder/larder.h"

extern struct larder_storage process_storage __attribute__((visibility("hidden")));
#define PROCESS ((struct larder *)(void *)&process_storage)

/* Start the instance, once; later calls cost a load. False iff there is no address space, or
 * LARDER_DISABLE is set. Any thread, before constructors too. */
bool process_start(void);
bool process_is_started(void);

/* Did this memory come from here? The map of the core is rounded outward, and other mappings may
 * lie in its margins: larder_owns() is not the question. */
bool process_owns(const void *pointer);

/* From the start of the reservation. */
size_t process_offset(const void *pointer);

/* Where the usable memory begins. */
const void *process_base(void);

/* Bytes usable now; and the address space it may grow to. */
size_t process_usable_bytes(void);
size_t process_reserved_bytes(void);

/* Make room for a request of `size_bytes` with that alignment that failed when process_usable_bytes
 * was `seen_bytes`. True iff it is worth trying again: it grew, or somebody else made it grow. */
bool process_grow(size_t seen_bytes, size_t size_bytes, size_t align_bytes);

/* Fresh, empty memory in the place of what is there, whole pages of what is usable. False iff the
 * system refuses: what was there may be gone all the same. */
bool process_map_anew(void *start, size_t size_bytes);

/* At most so many bytes usable; 0: as many as are reserved. Never shrinks. */
void process_set_limit(size_t limit_bytes);

/* Around fork(): process.c's own lock, after those of the instance. */
void process_lock(void);
void process_unlock(void);

#endif
