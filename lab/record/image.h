/* image.h: one recorded program: what an exec or a fork makes. It has a trace file of its own. */
#ifndef LAB_RECORD_IMAGE_H
#define LAB_RECORD_IMAGE_H

#include "record/preload/channel.h"
#include "trace/intern.h"
#include "trace/key_map.h"
#include "trace/order.h"

struct image {
    uint32_t number, pid;
    int pidfd; /* readable when the process has ended; -1: it had when we first looked */
    char *path;
    struct trace_writer *writer;
    struct trace_order *order;
    uint64_t last_ns,
        marked_ns;          /* time of the last event, and of the last mark of resident memory */
    struct key_map callers; /* address to site, for stacks of one frame */
    struct intern stacks;   /* addresses to number; then: */
    uint32_t *sites;        /* … of stack n at [n - 1] */
    size_t sites_capacity;
    char **maps; /* contents of /proc/PID/maps, the newest last */
    size_t count_maps, maps_capacity;
    uint32_t count_rings; /* that it has now */
    uint64_t watermark;   /* ticks up to which this round's events are complete */
    uint64_t count_lost;
    struct trace_losses losses; /* when closed */
    bool is_dead;               /* nobody will put anything into its rings any more */
    bool is_closed;
};

/* NULL iff the file cannot be created: errno. `program` is used where /proc has nothing any more.
 */
struct image *image_make(uint32_t number, uint32_t pid, char *path, const char *program,
                         bool has_sites);

/* The site of a stack; innermost first. */
uint32_t image_site(struct image *image, const uint64_t *addresses, size_t count);

/* Take over a text in the form of /proc/PID/maps. */
void image_add_maps(struct image *image, char *maps);

/* A mark of how much memory is resident. */
void image_mark(struct image *image);

bool image_has_ended(const struct image *image);

/* Finish the trace. False iff it could not be written: errno. */
bool image_close(struct image *image);
void image_free(struct image *image);

#endif
