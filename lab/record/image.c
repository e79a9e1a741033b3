/* image.c: see image.h. */
#include "record/image.h"

#include "trace/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { COMMAND_LINE_MAX = 4096 };

/* All of a file of /proc/PID, up to `most` bytes, as a text. NULL iff there is nothing. */
static char *read_proc(uint32_t pid, const char *name, size_t most, size_t *count) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%" PRIu32 "/%s", pid, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = memory_resize(NULL, most + 1, 1);
    *count = 0;
    for (ssize_t part;
         fd >= 0 && *count < most && (part = read(fd, text + *count, most - *count)) > 0;)
        *count += (size_t)part;
    if (fd >= 0)
        (void)close(fd);
    text[*count] = '\0';
    if (*count > 0)
        return text;
    free(text);
    return NULL;
}

static char *command_line(uint32_t pid, const char *otherwise) {
    size_t count;
    char *text = read_proc(pid, "cmdline", COMMAND_LINE_MAX, &count);
    if (!text)
        return memory_text(otherwise, strlen(otherwise));
    for (size_t i = 0; i + 1 < count; i++) {
        if (text[i] == '\0')
            text[i] = ' ';
    }
    return text;
}

static uint64_t unix_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

struct image *image_make(uint32_t number, uint32_t pid, char *path, const char *program,
                         bool has_sites) {
    char *line = command_line(pid, program);
    const struct trace_info info = {.program = line,
                                    .recorded_by = "larder record",
                                    .note = "",
                                    .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
                                    .pid = pid,
                                    .start_unix_ms = unix_ms(),
                                    .has_time = true,
                                    .has_threads = true,
                                    .has_sites = has_sites};
    struct trace_writer *writer = trace_writer_open(path, &info);
    free(line);
    if (!writer)
        return NULL;
    struct image *image = memory_zeroed(1, sizeof *image);
    image->number = number;
    image->pid = pid;
    image->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    image->path = path;
    image->writer = writer;
    image->order = trace_order_make(writer);
    return image;
}

void image_free(struct image *image) {
    for (size_t i = 0; i < image->count_maps; i++)
        free(image->maps[i]);
    free(image->maps);
    free(image->path);
    free(image->sites);
    key_map_free(&image->callers);
    intern_free(&image->stacks);
    free(image);
}

/* ---- Call sites ------------------------------------------------------------------------------ */

static uint32_t new_site(struct image *image, const uint64_t *addresses, size_t count) {
    struct trace_frame frames[CHANNEL_STACK_MAX];
    for (size_t i = 0; i < count; i++)
        frames[i] = (struct trace_frame){.address = addresses[i]};
    return trace_writer_site(image->writer, frames, count);
}

static uint32_t caller_site(struct image *image, uint64_t address) {
    const struct key_map_entry *entry = key_map_find(&image->callers, address);
    if (entry)
        return entry->value;
    const uint32_t site = new_site(image, &address, 1);
    key_map_put(&image->callers, address, site);
    return site;
}

uint32_t image_site(struct image *image, const uint64_t *addresses, size_t count) {
    bool is_new;
    if (count == 0)
        return 0;
    if (count == 1)
        return caller_site(image, addresses[0]);
    const uint32_t number =
        intern_number(&image->stacks, addresses, count * sizeof *addresses, &is_new);
    if (is_new) {
        image->sites =
            memory_reserve(image->sites, &image->sites_capacity, number, sizeof *image->sites);
        image->sites[number - 1] = new_site(image, addresses, count);
    }
    return image->sites[number - 1];
}

void image_add_maps(struct image *image, char *maps) {
    image->maps = memory_reserve(image->maps, &image->maps_capacity, image->count_maps + 1,
                                 sizeof *image->maps);
    image->maps[image->count_maps++] = maps;
}

/* ---- While it runs --------------------------------------------------------------------------- */

void image_mark(struct image *image) {
    size_t count;
    char *text = read_proc(image->pid, "statm", 256, &count);
    unsigned long total, resident;
    if (text && sscanf(text, "%lu %lu", &total, &resident) == 2 && resident > 0) {
        const struct trace_event event = {.kind = TRACE_RESIDENT,
                                          .time_ns = image->last_ns,
                                          .size_bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE)};
        trace_order_event(image->order, &event, 0, 0);
    }
    free(text);
}

bool image_has_ended(const struct image *image) {
    struct pollfd poll_one = {.fd = image->pidfd, .events = POLLIN};
    return image->pidfd < 0 || poll(&poll_one, 1, 0) > 0;
}

bool image_close(struct image *image) {
    image->is_closed = true;
    if (image->pidfd >= 0)
        (void)close(image->pidfd);
    image->pidfd = -1;
    image->losses = *trace_order_losses(image->order);
    trace_order_free(image->order);
    image->order = NULL;
    const bool is_written = trace_writer_close(image->writer);
    image->writer = NULL;
    return is_written;
}
