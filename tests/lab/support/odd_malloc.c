/* odd_malloc.c: a malloc to be preloaded that does what ODD_MALLOC says at its 5,000th call:
 * "crash", "exit", "interrupt" (as Ctrl-C in the parent would), "overlap" (gives out a block
 * again), "nothing". It never reuses memory: blocks lie one behind the other in one mapping. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPACE ((size_t)4 << 30)
#define HEADER 16u

enum { LAST_CALL = 5000 };

static unsigned char *space;
static size_t used;
static unsigned calls;

static int is_asked(const char *what) {
    const char *wanted = getenv("ODD_MALLOC");
    return wanted && strcmp(wanted, what) == 0;
}

static void be_odd(void) {
    if (is_asked("crash"))
        __builtin_trap();
    if (is_asked("exit"))
        _exit(7);
    if (is_asked("interrupt"))
        (void)kill(getppid(), SIGINT);
    if (is_asked("overlap"))
        used -= used > 4096 ? 4096 : 0;
}

static void *take(size_t align, size_t size) {
    if (!space) {
        void *at = mmap(NULL, SPACE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        space = at == MAP_FAILED ? NULL : at;
    }
    if (++calls == LAST_CALL)
        be_odd();
    if (!space || size > SPACE || align > SPACE)
        return NULL;
    const size_t at = (used + HEADER + align - 1) & ~(align - 1);
    if (at + size > SPACE)
        return NULL;
    used = (at + size + 15) & ~(size_t)15;
    memcpy(space + at - sizeof size, &size, sizeof size);
    return space + at;
}

size_t malloc_usable_size(void *pointer) {
    size_t size = 0;
    if (pointer)
        memcpy(&size, (unsigned char *)pointer - sizeof size, sizeof size);
    return size;
}

void *malloc(size_t size) {
    return take(16, size);
}

void free(void *pointer) {
    (void)pointer;
}

void *calloc(size_t count, size_t size) {
    return size && count > SIZE_MAX / size ? NULL : take(16, count * size);
}

void *realloc(void *pointer, size_t size) {
    void *moved = take(16, size);
    const size_t old = malloc_usable_size(pointer);
    if (moved && pointer)
        memcpy(moved, pointer, old < size ? old : size);
    return moved;
}

int posix_memalign(void **result, size_t align, size_t size) {
    *result = take(align > 16 ? align : 16, size);
    return *result ? 0 : ENOMEM;
}
