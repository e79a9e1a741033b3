/* port.h: the port of the core inside the lab: the Linux home's, but for time and for purging.
 *
 * Heaps are replayed in the time of the recording, so giving back after an interval happens when it
 * would have, and every run of the lab on one trace gives the same figures. */
#ifndef LAB_PORT_H
#define LAB_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on it is so late. It never goes back while a heap is open. */
void port_set_clock_ms(uint64_t now_ms);

/* Be told of what is purged; true iff it lies in memory of the listener's, which then need not be
 * purged in earnest. NULL: nobody. */
void port_set_purge_listener(bool (*purged)(void *context, void *pointer, size_t size_bytes),
                             void *context);

#endif
