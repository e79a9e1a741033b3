/* table.c: the comparison for people.
 *
 *   policy           footprint  of live  inside  outside  worst  failed  looks   most  median …
 *   first fit         72.1 KiB     1.17   3.1 %    8.2 %   21 %       0    3.2     61      31 …
 */
#include "output.h"

#include "larder/larder.h"

#include "say.h"

#include <inttypes.h>
#include <string.h>

#define STRONG "\033[1;32m"
#define PLAIN "\033[0m"

enum { CELL = 24, TITLE_CELLS = 16, COLUMNS = 12, TIME_COLUMN = 8, TIME_COLUMNS = 3 };

/* What a column is called, how wide it is, and its cell of a result: text that says nothing is "-".
 * `weight`: the least of the column is the best; negative: it does not compete. */
struct column {
    const char *over, *name;
    int width;
    double (*cell)(const struct result *result, char text[CELL]);
};

static double number(char text[CELL], uint64_t value) {
    (void)snprintf(text, CELL, "%" PRIu64, value);
    return (double)value;
}

static double percent(char text[CELL], unsigned permille) {
    (void)snprintf(text, CELL, "%u %%", (permille + 5) / 10);
    return (double)permille;
}

static double nothing(char text[CELL]) {
    (void)snprintf(text, CELL, "-");
    return -1;
}

static double footprint(const struct result *result, char text[CELL]) {
    (void)say_bytes(text, result->figures.footprint_peak_bytes);
    return (double)result->figures.footprint_peak_bytes;
}

static double of_live(const struct result *result, char text[CELL]) {
    const struct replay_figures *figures = &result->figures;
    if (figures->live_bytes_peak == 0)
        return nothing(text);
    (void)snprintf(text, CELL, "%.2f",
                   (double)figures->footprint_peak_bytes / (double)figures->live_bytes_peak);
    return (double)figures->footprint_peak_bytes;
}

static double inside(const struct result *result, char text[CELL]) {
    return percent(text, replay_internal_permille(&result->figures));
}

static double outside(const struct result *result, char text[CELL]) {
    return result->is_process ? nothing(text) : percent(text, result->external_mean_permille);
}

static double outside_max(const struct result *result, char text[CELL]) {
    return result->is_process ? nothing(text) : percent(text, result->external_max_permille);
}

static double failed(const struct result *result, char text[CELL]) {
    return number(text, result->figures.failures);
}

static double looks(const struct result *result, char text[CELL]) {
    const struct replay_figures *figures = &result->figures;
    if (figures->searches == 0)
        return nothing(text);
    const double mean = (double)figures->searched / (double)figures->searches;
    (void)snprintf(text, CELL, "%.1f", mean);
    return mean;
}

static double looks_max(const struct result *result, char text[CELL]) {
    return result->figures.searches ? number(text, result->figures.searched_max) : nothing(text);
}

static double median(const struct result *result, char text[CELL]) {
    return number(text, result->figures.all.median_ns);
}

static double p99(const struct result *result, char text[CELL]) {
    return number(text, result->figures.all.p99_ns);
}

static double longest(const struct result *result, char text[CELL]) {
    return number(text, result->figures.all.max_ns);
}

static double control(const struct result *result, char text[CELL]) {
    if (result->is_process)
        return nothing(text);
    (void)say_bytes(text, result->figures.metadata_bytes);
    return (double)result->figures.metadata_bytes;
}

static const struct column column[COLUMNS] = {
    {"peak", "footprint", 9, footprint},
    {"of", "live", 5, of_live},
    {"waste", "inside", 6, inside},
    {"outside", "mean", 7, outside},
    {"", "max", 5, outside_max},
    {"", "failed", 6, failed},
    {"chunks", "mean", 6, looks},
    {"looked at", "max", 9, looks_max},
    {"", "median", 6, median},
    {"ns", "99 %", 6, p99},
    {"", "max", 9, longest},
    {"control", "bytes", 8, control},
};

static bool is_shown(const struct comparison *comparison, unsigned which) {
    const bool is_time = which >= TIME_COLUMN && which < TIME_COLUMN + TIME_COLUMNS;
    return !is_time || !comparison->is_untimed;
}

static double best_of(const struct comparison *comparison, unsigned which) {
    double best = -1;
    for (unsigned i = 0; i < comparison->count; i++) {
        char text[CELL];
        const struct result *result = &comparison->result[i];
        const double weight = result->state == RESULT_WHOLE ? column[which].cell(result, text) : -1;
        if (weight >= 0 && (best < 0 || weight < best))
            best = weight;
    }
    return best;
}

static void heading(const struct comparison *comparison, FILE *file) {
    (void)fprintf(file, "%-*s", TITLE_CELLS, "");
    for (unsigned i = 0; i < COLUMNS; i++)
        (void)fprintf(file, is_shown(comparison, i) ? " %*s" : "", column[i].width, column[i].over);
    (void)fprintf(file, "\n%-*s", TITLE_CELLS, "policy");
    for (unsigned i = 0; i < COLUMNS; i++)
        (void)fprintf(file, is_shown(comparison, i) ? " %*s" : "", column[i].width, column[i].name);
    (void)fputc('\n', file);
}

static void row(const struct comparison *comparison, const struct result *result, FILE *file,
                const double best[COLUMNS], bool is_colored) {
    (void)fprintf(file, "%-*.*s", TITLE_CELLS, TITLE_CELLS, result->title);
    for (unsigned i = 0; i < COLUMNS && result_has_figures(result); i++) {
        char text[CELL];
        if (!is_shown(comparison, i))
            continue;
        const double weight = column[i].cell(result, text);
        const bool is_best =
            is_colored && weight >= 0 && weight <= best[i] && result->state == RESULT_WHOLE;
        (void)fprintf(file, " %s%*s%s", is_best ? STRONG : "", column[i].width, text,
                      is_best ? PLAIN : "");
    }
    if (!result_has_figures(result))
        (void)fprintf(file, "  %s", result->what);
    (void)fputc('\n', file);
}

/* ---- Around the table ------------------------------------------------------------------------ */

/* Of the first policy that met every request; the others have lived with less. */
static void summary(const struct comparison *comparison, FILE *file) {
    const struct result *most = NULL;
    for (unsigned i = 0; i < comparison->count; i++) {
        const struct result *result = &comparison->result[i];
        if (result_has_figures(result) &&
            (!most || result->figures.live_bytes_peak > most->figures.live_bytes_peak))
            most = result;
    }
    char live[SAY_BYTES_LENGTH], limit[SAY_BYTES_LENGTH];
    (void)fprintf(file, "%s", comparison->path);
    if (most)
        (void)fprintf(file, ": %" PRIu64 " events, at most %" PRIu64 " blocks and %s live",
                      most->figures.events, most->figures.live_blocks_peak,
                      say_bytes(live, most->figures.live_bytes_peak));
    if (comparison->memory_bytes)
        (void)fprintf(file, ", in %s of memory", say_bytes(limit, comparison->memory_bytes));
    (void)fputs("\n", file);
    if (*comparison->info->note)
        (void)fprintf(file, "note: %s\n", comparison->info->note);
    (void)fputc('\n', file);
}

static void notes(const struct comparison *comparison, FILE *file) {
    bool has_process = false;
    for (unsigned i = 0; i < comparison->count; i++) {
        const struct result *result = &comparison->result[i];
        has_process |= result->is_process && result_has_figures(result);
        if (result->state != RESULT_WHOLE && result_has_figures(result))
            (void)fprintf(file, "\n%s: %s\n", result->title, result->what);
        if (result->unwritten_blocks > 0)
            (void)fprintf(file,
                          "\n%s: %" PRIu64 " blocks were not written into: too little memory\n",
                          result->title, result->unwritten_blocks);
    }
    if (has_process)
        (void)fprintf(file, "\nfootprint of a malloc: resident memory of its process, which one "
                            "thread replays\n");
}

/* The kernel's index, for orders of which none is free and that this memory could ever hold. */
static void orders(const struct result *result, FILE *file) {
    const struct replay_figures *figures = &result->figures;
    bool is_first = true;
    for (unsigned order = 0; order < figures->order_count; order++) {
        const int index = figures->index_permille[order];
        if (index < 0 || figures->free_pieces == 0 ||
            LARDER_FRAME_BYTES << order > figures->footprint_bytes)
            continue;
        if (is_first)
            (void)fprintf(file,
                          "\n%s, fragmentation index at the end (towards 0: too little is "
                          "free, towards 1: in pieces):\n",
                          result->title);
        (void)fprintf(file, "  order %u: %d.%03d", order, index / 1000, index % 1000);
        is_first = false;
    }
    (void)fputs(is_first ? "" : "\n", file);
}

void output_table(const struct comparison *comparison, FILE *file, bool is_colored) {
    double best[COLUMNS];
    for (unsigned i = 0; i < COLUMNS; i++)
        best[i] = best_of(comparison, i);
    summary(comparison, file);
    heading(comparison, file);
    for (unsigned i = 0; i < comparison->count; i++)
        row(comparison, &comparison->result[i], file, best, is_colored);
    notes(comparison, file);
    for (unsigned i = 0; comparison->memory_bytes && i < comparison->count; i++)
        orders(&comparison->result[i], file);
}
