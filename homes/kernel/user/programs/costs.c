/* costs: what it costs to get memory from the kernel and to give it back, by the system's counter.
 * Under an emulator that counts instructions (make bench-processes) the unit is an instruction;
 * on a real machine a nanosecond. */
#include "user.h"

#define PAGE 4096ul
#define MIB (1ul << 20)

static uint64_t counter(void) {
    uint64_t value;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
}

static uint64_t units(uint64_t ticks) {
    uint64_t hz;

    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return ticks * 1000000000ul / hz;
}

static void show(const char *what, uint64_t ticks, uint64_t count) {
    printf("%-52s %9lu\n", what, units(ticks) / count);
}

static void touch(unsigned char *start, size_t bytes) {
    for (size_t at = 0; at < bytes; at += PAGE)
        start[at] = 1;
}

static void calls(void) {
    uint64_t begin = counter();

    for (unsigned i = 0; i < 1000; i++)
        (void)getpid();
    show("a system call (getpid)", counter() - begin, 1000);
    begin = counter();
    for (unsigned i = 0; i < 200; i++)
        yield();
    show("yield, nobody else ready", counter() - begin, 200);
}

/* 1 MiB at a time is never a block. */
static void faults(void) {
    uint64_t begin, ticks = 0, tables = 0;

    for (unsigned i = 0; i < 8; i++) {
        unsigned char *start = map(MIB);

        start[0] = 1;
        begin = counter();
        touch(start + PAGE, MIB - PAGE);
        ticks += counter() - begin;
        begin = counter();
        munmap(start, MIB);
        tables += counter() - begin;
    }
    show("fault on a fresh page, zeroing 4 KiB included", ticks, 8 * (MIB / PAGE - 1));
    show("munmap of 1 MiB in pages, for a page", tables, 8 * MIB / PAGE);
}

static void large(void) {
    uint64_t begin = counter();

    for (unsigned i = 0; i < 4; i++) {
        unsigned char *start = map(2 * MIB);

        touch(start, 2 * MIB);
        munmap(start, 2 * MIB);
    }
    show("mmap, touch every page, munmap of 2 MiB: a block", counter() - begin, 4);
    begin = counter();
    for (unsigned i = 0; i < 4; i++) {
        unsigned char *start = map(2 * MIB - PAGE);

        touch(start, 2 * MIB - PAGE);
        munmap(start, 2 * MIB - PAGE);
    }
    show("the same less a page: 511 pages", counter() - begin, 4);
}

static void heap(void) {
    uint64_t start = brk(0), begin = counter();

    for (unsigned i = 1; i <= 100; i++)
        (void)brk(start + i * PAGE);
    show("brk, up by a page", counter() - begin, 100);
    begin = counter();
    for (unsigned i = 100; i > 0; i--)
        (void)brk(start + (i - 1) * PAGE);
    show("brk, down by a page that was not touched", counter() - begin, 100);
}

/* A child that exits at once, and one that writes to every page first. */
static void family(size_t bytes) {
    /* In pieces below a block, or the kernel would share blocks. */
    unsigned char *start[64];
    uint64_t begin, forked, ended, written;
    char what[64];
    int64_t child;

    for (size_t i = 0; i < bytes / MIB; i++) {
        start[i] = map(MIB);
        touch(start[i], MIB);
    }
    begin = counter();
    child = fork();
    if (child == 0)
        end(0);
    forked = counter() - begin;
    begin = counter();
    wait((uint32_t)child, NULL);
    ended = counter() - begin;
    begin = counter();
    for (size_t i = 0; i < bytes / MIB; i++)
        touch(start[i], MIB);
    written = counter() - begin;
    snprintf(what, sizeof what, "fork of %zu MiB in pages", bytes / MIB);
    show(what, forked, 1);
    snprintf(what, sizeof what, "its exit, until the parent knows");
    show(what, ended, 1);
    if (bytes > 0)
        show("first write afterwards to a page that was shared", written, bytes / PAGE);
    for (size_t i = 0; i < bytes / MIB; i++)
        munmap(start[i], MIB);
}

/* The child lives, so the first write to each page is a copy. */
static void copies(void) {
    unsigned char *start = map(MIB);
    uint64_t begin;
    int64_t child;

    touch(start, MIB);
    child = fork();
    if (child == 0) {
        sleep_us(1000000000000ul);
        end(0);
    }
    begin = counter();
    touch(start, MIB);
    show("first write to a page that is shared: a copy", counter() - begin, MIB / PAGE);
    kill((uint32_t)child);
    wait(0, NULL);
    munmap(start, MIB);
}

static void crowd(unsigned count) {
    uint32_t child[64];
    char what[64];
    uint64_t begin;

    for (unsigned i = 0; i < count; i++) {
        int64_t pid = fork();

        if (pid == 0) {
            sleep_us(1000000000000ul);
            end(0);
        }
        child[i] = (uint32_t)pid;
    }
    yield();
    begin = counter();
    if (fork() == 0)
        end(0);
    wait(0, NULL);
    snprintf(what, sizeof what, "fork, exit and wait beside %u sleeping processes", count);
    show(what, counter() - begin, 1);
    for (unsigned i = 0; i < count; i++)
        kill(child[i]);
    for (unsigned i = 0; i < count; i++)
        wait(child[i], NULL);
}

int main(int argc, char **argv) {
    (void)argc, (void)argv;
    calls();
    faults();
    large();
    heap();
    for (size_t bytes = 0; bytes <= 32 * MIB;
         bytes = bytes == 0 ? MIB : bytes * (bytes < 4 * MIB ? 4 : 8))
        family(bytes);
    copies();
    crowd(1);
    crowd(16);
    crowd(64);
    return 0;
}
