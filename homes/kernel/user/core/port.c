/* port.c: the system half of the port, as system calls. What mmap gives reads as zero and costs
 * nothing until it is touched. A reservation can only be read until it is committed: where a large
 * region can be written the kernel gives 2 MiB at a touch, too much for a map that is hardly used.
 */
#include "user.h"

#include "larder/port.h"
#include "larder/stats.h"

#define PAGE 4096u
#define FATAL_CODE 134

struct larder_slot *larder_port_only_slot = larder_slot_none;

static void *map_to_read(size_t bytes) {
    int64_t address = system_call(SYSCALL_MMAP, 0, bytes, PROTECTION_READ);

    return address < 0 ? NULL : (void *)address;
}

/* mmap aligns to pages: take more, and give back what lies before and behind. */
void *larder_port_reserve(size_t size_bytes, size_t align_bytes) {
    size_t slack_bytes = align_bytes > PAGE ? align_bytes : 0;
    unsigned char *all = map_to_read(size_bytes + slack_bytes), *start;

    if (all == NULL || slack_bytes == 0)
        return all;
    start = (unsigned char *)(((uintptr_t)all + align_bytes - 1) & ~(align_bytes - 1));
    if (start > all)
        munmap(all, (size_t)(start - all));
    munmap(start + size_bytes, (size_t)(all + slack_bytes - start));
    return start;
}

void larder_port_release(void *pointer, size_t size_bytes) {
    munmap(pointer, size_bytes);
}

bool larder_port_commit(void *pointer, size_t size_bytes) {
    uintptr_t start = (uintptr_t)pointer / PAGE * PAGE;

    return mprotect((void *)start, (uintptr_t)pointer + size_bytes - start, PROTECTION_WRITE) == 0;
}

bool larder_port_purge(void *pointer, size_t size_bytes) {
    return purge(pointer, size_bytes) == 0;
}

size_t larder_port_page_bytes(void) {
    return PAGE;
}

/* A process has no source of randomness: good for nothing but telling processes apart. */
uint64_t larder_port_entropy(void) {
    static uint64_t state;

    state += getpid();
    return random_next(&state);
}

/* Nor a clock it may read: memory goes back when it is asked for, never by age. */
uint64_t larder_port_clock_ms(void) {
    return 0;
}

static void write_to_console(void *context, const char *text, size_t length) {
    (void)context;
    write_text(text, length);
}

_Noreturn void larder_port_fatal(const struct larder_fatal *fatal) {
    const struct larder_sink sink = {.write = write_to_console, .context = NULL};

    larder_fatal_write(fatal, &sink);
    end(FATAL_CODE);
}

void larder_port_empty_slots(struct larder *larder) {
    (void)larder;
}
