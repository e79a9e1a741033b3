/* account.c: see account.h.
 *
 * The heap holds memory that the program has (live) and memory that it has not. Whatever of the
 * latter the system still backs is waste, and each part of it has one cause and one cure.
 */
#include "account.h"

#include "control.h"
#include "say.h"

#include <inttypes.h>

static const struct part {
    const char *name, *label, *text;
} parts[] = {
    {"live", "live", "with the program, as size classes"},
    {"in_slabs", "in slabs", "free places in slabs that other objects keep in use"},
    {"in_magazines", "in magazines", "free objects that threads keep at hand"},
    {"free_backed", "free frames", "not yet given back to the system"},
    {"metadata", "metadata", "larder's own: slots of threads, magazines, descriptors"},
};

uint64_t account_amount(const json_t *statistics, const char *name, const char *part) {
    return control_number(json_object_get(statistics, name), part);
}

static void write_row(FILE *out, const char *what, uint64_t bytes, uint64_t whole,
                      const char *text) {
    char size[SAY_BYTES_LENGTH];
    (void)fprintf(out, "  %-16s %10s", what, say_bytes(size, bytes));
    if (whole != 0)
        (void)fprintf(out, "  %5.1f %%", 100.0 * (double)bytes / (double)whole);
    (void)fprintf(out, "%s%s\n", *text ? "  " : "", text);
}

static void write_parts(FILE *out, const json_t *statistics) {
    const uint64_t usable = account_amount(statistics, "usable", "at_peak");
    const uint64_t purged = account_amount(statistics, "purged", "at_peak");
    const uint64_t backed = usable > purged ? usable - purged : 0;
    write_row(out, "largest heap", backed, 0, "what larder held; of that, at that moment:");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        write_row(out, parts[i].label, account_amount(statistics, parts[i].name, "at_peak"), backed,
                  parts[i].text);
}

void account_write(FILE *out, const json_t *statistics, uint64_t cpu_ns) {
    const uint64_t slow_ns = control_number(statistics, "slow_ns");
    write_row(out, "peak live", account_amount(statistics, "live", "peak"), 0, "");
    write_row(out, "asked for", account_amount(statistics, "requested", "peak"), 0,
              "of that, about: the rest is rounding to size classes");
    write_row(out, "peak resident", account_amount(statistics, "resident", "peak"), 0,
              "of the whole process, program and libraries included");
    write_parts(out, statistics);
    (void)fprintf(out, "  %-16s %8.3f s  ", "slow paths", (double)slow_ns / 1e9);
    if (cpu_ns != 0)
        (void)fprintf(out, "%.1f %% of %.2f s of processor time, ",
                      100.0 * (double)slow_ns / (double)cpu_ns, (double)cpu_ns / 1e9);
    (void)fprintf(out, "%" PRIu64 " calls\n", control_number(statistics, "slow_calls"));
}
