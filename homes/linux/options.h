/* options.h: what the environment says: LARDER_NAME=value. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
    bool disable;       /* LARDER_DISABLE: leave the program to the C library's malloc */
    bool stats;         /* LARDER_STATS: write statistics at exit */
    bool background;    /* LARDER_BACKGROUND: a thread that purges while the program is idle */
    unsigned purge_ms;  /* LARDER_PURGE_MS: free memory goes back after one to two such times */
    size_t limit_bytes; /* LARDER_LIMIT: hard limit of usable memory; 0: none */
    const char *debug;  /* LARDER_DEBUG: debug options of size classes; NULL: none */
};

/* Defaults until options_read() has run. */
extern struct options options __attribute__((visibility("hidden")));

/* Read the environment, once. Allocates nothing. */
void options_read(void);

#endif
