/* say.h: words to the person at the terminal: what is wrong, how far long work is, sizes one can
 * read. Everything here goes to standard error; results go to standard output. */
#ifndef LAB_SAY_H
#define LAB_SAY_H

#include <stddef.h>
#include <stdint.h>

/* "larder compare: …". The subcommand is set by main. */
void say_command(const char *name);
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A wrong command line: the message, and where help is. EXIT_USAGE. */
int say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 1536 as "1.5 KiB". Returns buffer. */
enum { SAY_BYTES_LENGTH = 16 };
char *say_bytes(char buffer[SAY_BYTES_LENGTH], uint64_t bytes);

/* A bar with rate and remaining time, on a terminal only and from half a second on. `unit` is the
 * plural: "events". done and total may be in another unit than count (bytes of a file). */
struct say_progress {
    const char *what, *unit;
    uint64_t started_ms, drawn_ms;
    int is_drawn;
};
void say_progress_begin(struct say_progress *progress, const char *what, const char *unit);
void say_progress(struct say_progress *progress, uint64_t count, uint64_t done, uint64_t total);
void say_progress_end(struct say_progress *progress);

#endif
