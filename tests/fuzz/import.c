/* The importers, on any bytes: each reads them to an end or to a fault, and what they write is a
 * trace that our reader finds nothing wrong with. The first byte chooses the importer, or none:
 * then it is found out. */
#include "import/import.h"
#include "trace/reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_so) {
    if (!is_so)
        abort();
}

static void path_of(char path[32], int fd) {
    (void)snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static const struct importer *choose(uint8_t number, const char *head, size_t count) {
    size_t total = 0;
    while (importers[total])
        total++;
    if (number % (total + 1) < total)
        return importers[number % (total + 1)];
    size_t i = 0;
    while (importers[i] && !importers[i]->is_it(head, count))
        i++;
    return importers[i];
}

static void read_back(const char *path, uint64_t count) {
    struct trace_error error;
    struct trace_event event;
    struct trace_reader *reader = trace_reader_open(path, &error);
    must(reader != NULL);
    while (trace_reader_next(reader, &event))
        count--;
    must(count == 0 && trace_reader_error(reader) == NULL);
    trace_reader_close(reader);
}

/* `from` holds the bytes, without the first. */
static void import_between(uint8_t number, int from, int to) {
    static char head[INPUT_PEEK_BYTES + 1];
    char path[32], output_path[32];
    size_t count;
    path_of(path, from);
    path_of(output_path, to);
    struct import import = {.input = input_open(path), .output_path = output_path};
    must(import.input != NULL);
    const char *bytes = input_peek(import.input, &count);
    memcpy(head, bytes, count);
    head[count] = '\0';
    const struct importer *importer = choose(number, head, count);
    if (importer && !importer->refusal)
        must(importer->run(&import) || import.fault[0]);
    if (import.writer) {
        const uint64_t events = trace_order_count(import.order);
        trace_order_free(import.order);
        intern_free(&import.callers);
        must(trace_writer_close(import.writer));
        read_back(output_path, events);
    }
    input_close(import.input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const int from = memfd_create("from", 0), to = memfd_create("to", 0);
    must(from >= 0 && to >= 0);
    if (size > 0) {
        must(write(from, data + 1, size - 1) == (ssize_t)(size - 1));
        import_between(data[0], from, to);
    }
    (void)close(from);
    (void)close(to);
    return 0;
}
