/* path.h: names of files that an option gives, without stdio. */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stddef.h>

#define PATH_BYTES 1024u

struct path {
    char text[PATH_BYTES];
    size_t length;
    bool is_whole; /* it fitted */
};

/* `pattern` with the process in place of %p, and `suffix` behind it. */
void path_make(struct path *path, const char *pattern, const char *suffix);

#endif
