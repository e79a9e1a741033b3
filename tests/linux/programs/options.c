/* What options change, seen from a program: `options COMMAND`, preloaded or not. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern bool larder_is_active(void) __attribute__((weak));

#define MIB ((size_t)1 << 20)

static void show(const char *name, void *pointer) {
    printf("%s %zu\n", name, malloc_usable_size(pointer));
    free(pointer);
}

/* The C library's functions give other numbers than larder's, each of them. */
static void functions(void) {
    void *aligned = NULL;
    show("malloc", malloc(100));
    show("calloc", calloc(7, 15));
    show("realloc", realloc(malloc(40), 100));
    show("reallocarray", reallocarray(malloc(40), 5, 20));
    show("posix_memalign", posix_memalign(&aligned, 64, 104) == 0 ? aligned : NULL);
    show("aligned_alloc", aligned_alloc(32, 104));
    show("memalign", memalign(128, 104));
    show("valloc", valloc(104));
    show("pvalloc", pvalloc(104));
    printf("mallopt %d\n", mallopt(M_MXFAST, 1 << 20));
    void *held = malloc(40000);
    printf("mallinfo2 %d\n", mallinfo2().ordblks > 0);
    printf("malloc_trim %d\n", malloc_trim(0) >= 0);
    free(held);
    fflush(stdout);
    (void)malloc_info(0, stdout);
}

static void active(void) {
    void *pointer = malloc(100);
    printf("%d %zu\n", larder_is_active && larder_is_active(), malloc_usable_size(pointer));
    free(pointer);
}

/* Up to a GiB in pieces of a MiB; then half of them go, and there is room again. */
static void limit(void) {
    static void *piece[1024];
    unsigned count = 0;
    while (count < 1024 && (piece[count] = malloc(MIB - 64)) != NULL)
        memset(piece[count++], 1, MIB - 64);
    const int error = count < 1024 ? errno : 0;
    for (unsigned i = 0; i < count; i += 2)
        free(piece[i]);
    printf("%u %s %d\n", count, error == ENOMEM ? "ENOMEM" : "-", malloc(MIB / 2) != NULL);
}

/* When 8 KiB are refused, are 2000 times 200 bytes still there? How much was, in MiB. */
static void unwind(void) {
    size_t count = 0;
    unsigned small = 0;
    for (void **piece; count < MIB && (piece = malloc(8192)) != NULL; count++)
        piece[0] = NULL;
    while (small < 2000 && malloc(200) != NULL)
        small++;
    printf("%zu %u\n", count * 8192 / MIB, small);
}

static size_t resident_bytes(void) {
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    if (file)
        (void)fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* 256 MiB come and go, a small part at a time; what stays resident is printed in MiB. */
static void coming_and_going(void) {
    enum { PIECES = 1024 };
    static void *piece[PIECES];
    for (unsigned i = 0; i < PIECES; i++)
        piece[i] = memset(malloc(MIB / 4), 1, MIB / 4);
    for (unsigned i = 0; i < PIECES; i++) {
        free(piece[i]);
        if (i % 32 == 31)
            usleep(5000); /* the limit is looked at every few ms */
    }
    for (unsigned i = 0; i < 1000; i++) {
        free(malloc(100000));
        usleep(i % 100 == 0 ? 5000 : 0);
    }
    printf("%zu\n", resident_bytes() / MIB);
}

/* The flags of the mapping that malloc's memory is in: "hg" and "nh" are of interest. */
static void flags(void) {
    char line[512];
    bool is_inside = false;
    const uintptr_t address = (uintptr_t)malloc(100);
    FILE *file = fopen("/proc/self/smaps", "r");
    while (file && fgets(line, sizeof line, file)) {
        unsigned long first, end;
        if (sscanf(line, "%lx-%lx ", &first, &end) == 2)
            is_inside = address >= first && address < end;
        else if (is_inside && strncmp(line, "VmFlags:", 8) == 0)
            printf("%s%s\n", strstr(line, " hg") ? "hg" : "", strstr(line, " nh") ? "nh" : "");
    }
    if (file)
        (void)fclose(file);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } commands[] = {{"functions", functions},
                    {"active", active},
                    {"limit", limit},
                    {"unwind", unwind},
                    {"coming-and-going", coming_and_going},
                    {"flags", flags}};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            commands[i].run();
            return 0;
        }
    }
    return 2;
}
