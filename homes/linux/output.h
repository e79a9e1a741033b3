/* output.h: text to a file descriptor, without stdio: nothing here allocates or takes a lock.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "larder/stats.h"

#include "text.h" /* the core's words and numbers */

#define OUTPUT_BYTES 1024u

struct output {
    struct larder_sink sink; /* writes here */
    int file;
    size_t used;
    char text[OUTPUT_BYTES];
};

void output_start(struct output *output, int file);

/* What is still in the buffer goes out. The file stays open. */
void output_end(struct output *output);

/* One line to stderr: "larder: " and these texts, of which any may be NULL. */
void output_warning(const char *first, const char *second, const char *third);

#endif
