/* output.c: see output.h. */
#include "output.h"

#include <errno.h>
#include <unistd.h>

static void write_all(int file, const char *text, size_t length) {
    while (length != 0) {
        const ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

static void flush(struct output *output) {
    const int saved = errno;
    write_all(output->file, output->text, output->used);
    output->used = 0;
    errno = saved;
}

static void append(void *context, const char *text, size_t length) {
    struct output *output = context;
    while (length != 0) {
        const size_t room = OUTPUT_BYTES - output->used;
        const size_t here = length < room ? length : room;
        __builtin_memcpy(output->text + output->used, text, here);
        output->used += here;
        text += here;
        length -= here;
        if (output->used == OUTPUT_BYTES)
            flush(output);
    }
}

void output_start(struct output *output, int file) {
    output->sink = (struct larder_sink){.write = append, .context = output};
    output->file = file;
    output->used = 0;
}

void output_end(struct output *output) {
    flush(output);
}

void output_warning(const char *first, const char *second, const char *third) {
    const char *const texts[] = {"larder: ", first, second, third, "\n"};
    struct output output;
    output_start(&output, STDERR_FILENO);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        if (texts[i])
            text_put(&output.sink, texts[i]);
    }
    output_end(&output);
}
