/* config.h: the numbers of the core in a process of our own kernel (larder/config.h has their
 * meaning). */
#ifndef USER_CORE_CONFIG_H
#define USER_CORE_CONFIG_H

#define LARDER_ORDER_MAX 10 /* 4 MiB; longer runs are looked for */
#define LARDER_ZONES_MAX 1
#define LARDER_SLOTS_MAX 1
#define LARDER_CACHES_MAX 256
#define LARDER_RANGES_MAX 16
#define LARDER_EMPTY_BYTES (16u << 10)
#define LARDER_MAGAZINE_BYTES 8192
#define LARDER_DEPOT_MAGAZINES 1

#endif
