/* linux-config.h: the numbers of the core in a process (larder/config.h has their meaning).
 */
#ifndef LINUX_CONFIG_H
#define LINUX_CONFIG_H

#define LARDER_SLOTS_MAX 4096 /* threads with magazines of their own */
#define LARDER_CACHES_MAX 352 /* few are typed; the bins of a thread are two pages */
#define LARDER_EMPTY_BYTES (16u << 10)
#define LARDER_MAGAZINE_BYTES 8192 /* of every thread and class, twice */
#define LARDER_DEPOT_MAGAZINES 1
#define LARDER_RANGES_MAX 32 /* one reservation, grown from its start */

#endif
