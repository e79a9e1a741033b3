/* malloc.c: see malloc.h. Nothing here allocates, opens a stream or formats text: it would be
 * measured. */
#include "malloc.h"

#include "policy.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROLLUP "/proc/self/smaps_rollup"
#define FIELD "Anonymous:"

static struct {
    struct policy policy;
    const struct blocks *table;
    uint64_t begin_bytes, resident_bytes;
    size_t (*usable_size)(void *);           /* NULL: this malloc has none */
    int (*aligned)(void **, size_t, size_t); /* likewise */
} self;

/* ---- Whose malloc ---------------------------------------------------------------------------- */

/* Where a function of the family is, and in which file. */
static void *find(const char *name, const char **file) {
    Dl_info info;
    void *function = dlsym(RTLD_DEFAULT, name);
    *file = function && dladdr(function, &info) != 0 && info.dli_fname ? info.dli_fname : "";
    return function;
}

const char *malloc_library(void) {
    const char *file;
    (void)find("malloc", &file);
    return file;
}

/* A function of another library's would not know these pointers. */
static void *find_own(const char *name) {
    const char *file;
    void *function = find(name, &file);
    return strcmp(file, malloc_library()) == 0 ? function : NULL;
}

/* ---- Resident memory ------------------------------------------------------------------------- */

/* Anonymous pages of this process, in bytes: exact, unlike the counters of statm. */
static uint64_t anonymous_bytes(void) {
    static char text[4096];
    const int file = open(ROLLUP, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0)
        (void)close(file);
    text[length > 0 ? length : 0] = 0;
    const char *line = strstr(text, FIELD);
    return line ? strtoull(line + strlen(FIELD), NULL, 10) * 1024 : 0;
}

static uint64_t table_bytes(void) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t bytes = self.table ? self.table->end * (uint64_t)sizeof *self.table->block : 0;
    return (bytes + page - 1) / page * page;
}

static void measure(void) {
    const uint64_t others = self.begin_bytes + table_bytes(), all = anonymous_bytes();
    self.resident_bytes = all > others ? all - others : 0;
}

void malloc_begin(const struct blocks *table) {
    self.table = table;
    self.begin_bytes = anonymous_bytes() - table_bytes();
    self.resident_bytes = 0;
}

/* ---- The policy ------------------------------------------------------------------------------ */

static struct policy *malloc_open(const struct policy_kind *kind, uint64_t memory_bytes,
                                  char what[REPLAY_WHAT_LENGTH]) {
    (void)memory_bytes;
    (void)what;
    void *usable_size = find_own("malloc_usable_size"), *aligned = find_own("posix_memalign");
    self.policy.kind = kind;
    memcpy(&self.usable_size, &usable_size, sizeof usable_size);
    memcpy(&self.aligned, &aligned, sizeof aligned);
    return &self.policy;
}

static void malloc_close(struct policy *policy) {
    (void)policy;
}

static void *malloc_alloc(struct policy *policy, size_t size_bytes) {
    (void)policy;
    return malloc(size_bytes);
}

static void *malloc_zeroed(struct policy *policy, size_t size_bytes) {
    (void)policy;
    return calloc(1, size_bytes);
}

static void *malloc_aligned(struct policy *policy, size_t align_bytes, size_t size_bytes) {
    void *pointer = NULL;
    (void)policy;
    if (align_bytes < sizeof(void *))
        align_bytes = sizeof(void *);
    return self.aligned && self.aligned(&pointer, align_bytes, size_bytes) == 0 ? pointer : NULL;
}

static void *malloc_resize(struct policy *policy, void *pointer, size_t size_bytes) {
    (void)policy;
    return realloc(pointer, size_bytes);
}

static void malloc_free(struct policy *policy, void *pointer) {
    (void)policy;
    free(pointer);
}

static uint64_t malloc_block_bytes(struct policy *policy, const void *pointer) {
    void *block;
    (void)policy;
    memcpy(&block, &pointer, sizeof block); /* malloc_usable_size() writes nothing */
    return self.usable_size ? self.usable_size(block) : 0;
}

static uint64_t malloc_footprint(const struct policy *policy) {
    (void)policy;
    return self.resident_bytes;
}

/* What is not held may be anything: caches, holes, descriptors. Only the malloc itself knows. */
static void malloc_figures(struct policy *policy, struct policy_figures *figures) {
    (void)policy;
    measure();
    figures->footprint_bytes = self.resident_bytes;
}

const struct policy_kind policy_malloc = {
    .name = "malloc",
    .title = "malloc",
    .open = malloc_open,
    .close = malloc_close,
    .alloc = malloc_alloc,
    .zeroed = malloc_zeroed,
    .aligned = malloc_aligned,
    .resize = malloc_resize,
    .free = malloc_free,
    .block_bytes = malloc_block_bytes,
    .footprint = malloc_footprint,
    .figures = malloc_figures,
};
