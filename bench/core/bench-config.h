/* bench-config.h: the numbers of the core that is measured (larder/config.h has their meaning):
 * room for the most caches of all comparisons.
 */
#ifndef BENCH_CONFIG_H
#define BENCH_CONFIG_H

#define LARDER_CACHES_MAX 8192

#endif
