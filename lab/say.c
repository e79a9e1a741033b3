/* say.c: see say.h. */
#include "say.h"

#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_DRAW_MS = 500, DRAW_INTERVAL_MS = 100, BAR_CELLS = 24 };

static const char *command_name = "";

void say_command(const char *name) {
    command_name = name;
}

static void say(const char *format, va_list arguments) {
    (void)fprintf(stderr, "larder%s%s: ", *command_name ? " " : "", command_name);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
}

void say_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

int say_usage(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "larder%s%s --help says more\n", *command_name ? " " : "", command_name);
    return EXIT_USAGE;
}

char *say_bytes(char buffer[SAY_BYTES_LENGTH], uint64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    double value = (double)bytes;
    for (; value >= 1023.95 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1024;
    (void)snprintf(buffer, SAY_BYTES_LENGTH, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s",
                   value, units[unit]);
    return buffer;
}

/* ---- Progress -------------------------------------------------------------------------------- */

static uint64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void say_progress_begin(struct say_progress *progress, const char *what, const char *unit) {
    *progress = (struct say_progress){.what = what, .unit = unit, .started_ms = now_ms()};
}

static void draw(const struct say_progress *progress, uint64_t count, double share,
                 uint64_t elapsed_ms) {
    const int full = (int)(share * BAR_CELLS);
    const double rate = (double)count * 1000 / (double)elapsed_ms;
    const double left_s = share > 0 ? (double)elapsed_ms / 1000 * (1 - share) / share : 0;
    (void)fprintf(stderr, "\r%s [", progress->what);
    for (int cell = 0; cell < BAR_CELLS; cell++)
        (void)fputc(cell < full ? '#' : '.', stderr);
    (void)fprintf(stderr, "] %3.0f %%  %.3g M %s/s  %.0f s left \033[K", share * 100, rate / 1e6,
                  progress->unit, left_s);
}

void say_progress(struct say_progress *progress, uint64_t count, uint64_t done, uint64_t total) {
    const uint64_t now = now_ms(), elapsed_ms = now - progress->started_ms;
    if (elapsed_ms < FIRST_DRAW_MS || now - progress->drawn_ms < DRAW_INTERVAL_MS || total == 0 ||
        !isatty(STDERR_FILENO))
        return;
    draw(progress, count, done < total ? (double)done / (double)total : 1, elapsed_ms);
    progress->drawn_ms = now;
    progress->is_drawn = 1;
}

void say_progress_end(struct say_progress *progress) {
    if (progress->is_drawn)
        (void)fprintf(stderr, "\r\033[K");
    progress->is_drawn = 0;
}
