/* resolve.c: see resolve.h. Blocks of events are copied as they are; those of sites are made anew,
 * with the same numbers. */
#include "record/resolve.h"

#include "record/symbols.h"
#include "trace/block.h"
#include "trace/memory.h"
#include "trace/site_table.h"
#include "trace/site_writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct resolver {
    struct symbols *symbols;
    struct site_table *table; /* of the old file */
    struct site_writer sites; /* of the new one */
    struct block_output output;
    struct block_input input;
};

/* Sites that have been read and are not written yet. */
static void write_sites(struct resolver *resolver) {
    struct trace_frame frames[SITE_FRAMES_MAX];
    while (resolver->sites.count_sites < site_table_count(resolver->table)) {
        const struct trace_frame *old;
        const size_t count =
            site_table_frames(resolver->table, resolver->sites.count_sites + 1, &old);
        for (size_t i = 0; i < count; i++) {
            frames[i] = old[i];
            symbols_resolve(resolver->symbols, &frames[i]);
        }
        (void)site_writer_add(&resolver->sites, frames, count);
    }
    site_writer_flush(&resolver->sites);
}

static bool copy(struct resolver *resolver) {
    struct trace_error error;
    size_t at;
    if (!block_read_file_head(&resolver->input, &error))
        return false;
    block_write_file_head(&resolver->output);
    for (enum block_kind kind = BLOCK_INFO; kind != BLOCK_END;) {
        if (!block_read(&resolver->input, &error))
            return false;
        kind = resolver->input.kind;
        if (kind != BLOCK_SITES)
            block_write(&resolver->output, kind, resolver->input.raw, resolver->input.raw_bytes);
        else if (site_table_read(resolver->table, resolver->input.raw, resolver->input.raw_bytes,
                                 &at))
            return false;
        else
            write_sites(resolver);
    }
    return resolver->output.error == 0;
}

static bool resolve_between(int from, int to, struct symbols *symbols) {
    struct resolver resolver = {.symbols = symbols, .table = site_table_make()};
    block_input_begin(&resolver.input, from);
    block_output_begin(&resolver.output, to);
    resolver.sites.output = &resolver.output;
    const bool is_done = copy(&resolver);
    block_input_end(&resolver.input);
    block_output_end(&resolver.output);
    site_writer_free(&resolver.sites);
    site_table_free(resolver.table);
    return is_done;
}

bool resolve_trace(const char *path, char *const *maps, size_t count_maps) {
    char *temporary;
    struct stat status;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &status) != 0 || !S_ISREG(status.st_mode) ||
        asprintf(&temporary, "%s.resolving", path) < 0) {
        if (from >= 0)
            (void)close(from);
        return false;
    }
    const int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool is_done = false;
    if (to >= 0) {
        struct symbols *symbols = symbols_make(maps, count_maps);
        is_done = resolve_between(from, to, symbols);
        symbols_free(symbols);
        is_done = close(to) == 0 && is_done && rename(temporary, path) == 0;
        if (!is_done)
            (void)unlink(temporary);
    }
    (void)close(from);
    free(temporary);
    return is_done;
}
