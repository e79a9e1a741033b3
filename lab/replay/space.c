/* space.c: see space.h. */
#include "space.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The shape of a tree follows from addresses, and figures should not differ from run to run: where
 * nothing else is, if the system has no objection. */
#define PLACE ((uintptr_t)1 << 44)

/* Cut the margins off a mapping that is SPACE_ALIGN too long. */
static void *align(char *at, size_t bytes) {
    const size_t head = -(uintptr_t)at & (SPACE_ALIGN - 1);
    if (head != 0)
        (void)munmap(at, head);
    if (head != SPACE_ALIGN)
        (void)munmap(at + head + bytes, SPACE_ALIGN - head);
    return at + head;
}

/* What is cut off must begin at a page, and what is given back end at one. */
static size_t whole_pages(size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) & ~(page - 1);
}

void *space_take(size_t wanted, size_t least, size_t *bytes) {
    for (*bytes = whole_pages(wanted); *bytes >= least && *bytes > 0; *bytes /= 2) {
        void *at = mmap((void *)PLACE, *bytes + SPACE_ALIGN, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at != MAP_FAILED)
            return align(at, *bytes);
    }
    return NULL;
}

void space_give(void *space, size_t bytes) {
    if (space)
        (void)munmap(space, bytes);
}

void *space_stretch(void *table, size_t from, size_t to) {
    void *at = table ? mremap(table, from, to, MREMAP_MAYMOVE)
                     : mmap(NULL, to, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at != MAP_FAILED ? at : NULL;
}

uint64_t space_available(void) {
    char text[512];
    const int file = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    const ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0)
        (void)close(file);
    text[length > 0 ? length : 0] = 0;
    const char *line = strstr(text, "MemAvailable:");
    return line ? strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024
                : (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}
