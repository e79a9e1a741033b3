/* lab_test.h: what every test program of the lab begins with. */
#ifndef TESTS_LAB_TEST_H
#define TESTS_LAB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A file in memory, which has a path for whoever wants one. Files on a disk are slow to be written
 * again and again. */
struct temporary {
    int fd;
    char path[32];
};

static inline void temporary_begin(struct temporary *file) {
    file->fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(file->fd >= 0);
    (void)snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
}

static inline void temporary_end(struct temporary *file) {
    (void)close(file->fd);
}

#endif
