/* options.h: what the environment says: LARDER_NAME=value. The table in options.c has the units,
 * the limits and the help text.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { STATS_NONE, STATS_TEXT, STATS_JSON };
enum { THP_DEFAULT, THP_ALWAYS, THP_NEVER };

struct options {
    bool help;                 /* LARDER_HELP */
    bool disable;              /* LARDER_DISABLE */
    bool background;           /* LARDER_BACKGROUND */
    bool hardened;             /* LARDER_HARDENED */
    bool checks_sizes;         /* of sized frees: either of LARDER_DEBUG, LARDER_HARDENED */
    unsigned purge_ms;         /* LARDER_PURGE_MS */
    unsigned stats;            /* LARDER_STATS: STATS_… */
    unsigned thp;              /* LARDER_THP: THP_… */
    unsigned snapshot_signal;  /* LARDER_SNAPSHOT_SIGNAL: its number; 0: none */
    size_t limit_bytes;        /* LARDER_LIMIT; 0: none */
    size_t soft_limit_bytes;   /* LARDER_SOFT_LIMIT; 0: none */
    size_t page_bytes;         /* LARDER_PAGE_BYTES: the port reads it by itself */
    const char *control;       /* LARDER_CONTROL; NULL: none */
    const char *cgroup;        /* LARDER_CGROUP; NULL: not asked */
    const char *debug;         /* LARDER_DEBUG; NULL: none */
    const char *stats_file;    /* LARDER_STATS_FILE; NULL: stderr */
    const char *snapshot_file; /* LARDER_SNAPSHOT_FILE */
};

/* Defaults until options_read() has run. */
extern struct options options __attribute__((visibility("hidden")));

/* Read the environment, once, and say to stderr what is wrong with it. Allocates nothing. */
void options_read(void);

/* LARDER_HELP: every option with its value, to stderr. */
void options_write_help(void);

#endif
