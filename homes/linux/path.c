/* path.c: see path.h. */
#include "path.h"

#include "output.h"

#include <string.h>
#include <unistd.h>

static void append(void *context, const char *text, size_t length) {
    struct path *path = context;
    path->is_whole = path->is_whole && length < PATH_BYTES - path->length;
    if (path->is_whole) {
        memcpy(path->text + path->length, text, length);
        path->length += length;
        path->text[path->length] = '\0';
    }
}

void path_make(struct path *path, const char *pattern, const char *suffix) {
    const struct larder_sink sink = {.write = append, .context = path};
    path->length = 0;
    path->text[0] = '\0';
    path->is_whole = true;
    for (; *pattern; pattern++) {
        if (pattern[0] == '%' && pattern[1] == 'p') {
            text_decimal(&sink, (uint64_t)getpid(), 0);
            pattern++;
        } else {
            append(path, pattern, 1);
        }
    }
    text_put(&sink, suffix);
}
