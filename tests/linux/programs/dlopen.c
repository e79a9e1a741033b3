/* dlopen.c: the library opened at run time, used on threads, and closed. Arguments: the library,
 * and a folder of libraries that need static TLS. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*their_malloc)(size_t size_bytes);
static void (*their_free)(void *pointer);
static pthread_barrier_t used, closed;

static void *use(void *unused) {
    void *blocks[200];
    (void)unused;
    for (size_t i = 0; i < 200; i++)
        blocks[i] = memset(their_malloc(i * 50 + 1), 1, i * 50 + 1);
    for (size_t i = 0; i < 200; i++)
        their_free(blocks[i]);
    (void)pthread_barrier_wait(&used);
    (void)pthread_barrier_wait(&closed);
    return NULL; /* its slot is parked after dlclose() */
}

/* Each a file of its own, or it would be one library. True iff the last one did not fit any more.
 */
static int use_up_static_tls(const char *folder) {
    char path[600];
    for (int i = 0; i < 16; i++) {
        (void)snprintf(path, sizeof path, "%s/tls%d.so", folder, i);
        if (!dlopen(path, RTLD_NOW | RTLD_LOCAL))
            return strstr(dlerror(), "static TLS") != NULL;
    }
    return 0;
}

int main(int argc, char **argv) {
    pthread_t threads[4];
    if (argc < 3 || !use_up_static_tls(argv[2]))
        return 2;
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 3;
    }
    *(void **)&their_malloc = dlsym(library, "malloc");
    *(void **)&their_free = dlsym(library, "free");
    (void)pthread_barrier_init(&used, NULL, 5);
    (void)pthread_barrier_init(&closed, NULL, 5);
    for (int i = 0; i < 4; i++)
        (void)pthread_create(&threads[i], NULL, use, NULL);
    (void)pthread_barrier_wait(&used);
    if (dlclose(library) != 0)
        return 4;
    (void)pthread_barrier_wait(&closed);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
