/*
 * Cache lines that two CPUs want at once, though no thread looks at another's object. After Berger
 * et al., "Hoard", 2000.
 *
 *   active    each thread allocates small objects and writes to them: an allocator that hands parts
 * of one cache line to several threads makes the line go to and fro passive   one thread allocates
 * neighbours and hands one to each thread, which frees it: an allocator that gives this piece to
 * the same thread again keeps the line shared for ever
 */
#include "workload.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIZE = 8,         // bytes
    WRITES = 1000,    // to an object
    PER_SCALE = 1000, // objects of all threads together
};

struct worker {
    unsigned char *handed; // NULL in the active form
    uint64_t objects;
    uint64_t checksum;
};

static unsigned char use(unsigned char *object) {
    volatile unsigned char *bytes = object;
    for (unsigned i = 0; i < WRITES; i++)
        bytes[i % SIZE]++;
    return bytes[0];
}

static void *work(void *argument) {
    struct worker worker = *(struct worker *)argument; // its neighbours may share its cache line
    free(worker.handed);
    for (uint64_t i = 0; i < worker.objects; i++) {
        unsigned char *object = given(malloc(SIZE));
        memset(object, (int)(i & 15), SIZE);
        worker.checksum += use(object);
        free(object);
    }
    *(struct worker *)argument = worker;
    return NULL;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 2);
    bool passive = !strcmp(arguments.form, "passive");
    if (!passive && strcmp(arguments.form, "active"))
        workload_fail("usage: pingpong SCALE THREADS active|passive");
    struct worker *workers = given(calloc(arguments.threads, sizeof(struct worker)));
    for (unsigned i = 0; i < arguments.threads; i++) {
        workers[i].objects = arguments.scale * PER_SCALE / arguments.threads;
        if (passive)
            workers[i].handed = given(calloc(1, SIZE));
    }
    threads_run(work, workers, sizeof(struct worker), arguments.threads);
    uint64_t checksum = 0;
    for (unsigned i = 0; i < arguments.threads; i++)
        checksum += workers[i].checksum;
    free(workers);
    return workload_result("pingpong", checksum);
}
