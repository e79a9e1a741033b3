/* places.c: see places.h. */
#include "places.h"

#include "control.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_LENGTH = 64 };

/* /proc/PID/maps as one text, the caller's to free; NULL iff it cannot be read. */
static char *read_maps(const json_t *answer) {
    char path[PATH_LENGTH], *maps = NULL;
    size_t length = 0;
    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/maps", control_number(answer, "process"));
    FILE *file = fopen(path, "r");
    if (file && getdelim(&maps, &length, '\0', file) < 0) {
        free(maps);
        maps = NULL;
    }
    if (file)
        (void)fclose(file);
    return maps;
}

struct symbols *places_open(const json_t *answer) {
    char *maps = read_maps(answer);
    struct symbols *symbols = maps ? symbols_make(&maps, 1) : NULL;
    free(maps);
    return symbols;
}

void places_close(struct symbols *symbols) {
    if (symbols)
        symbols_free(symbols);
}

struct trace_frame places_find(struct symbols *symbols, const char *site) {
    struct trace_frame frame = {
        .address = strtoull(site, NULL, 16), .function = "", .file = "", .module = ""};
    if (symbols && frame.address != 0)
        symbols_resolve(symbols, &frame);
    return frame;
}
