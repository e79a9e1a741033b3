/*
 * A thread for each request: it is made, allocates, computes, leaves an answer for its maker to
 * free, and ends; THREADS of them at a time, the same number in all. What a thread's cache is worth
 * when the thread is gone after a hundred calls, and whether anything of it stays behind.
 */
#include "workload.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    OBJECTS = 100,     // small ones of a request
    SIZE_LOW = 16,     //
    SIZE_HIGH = 400,   // bytes
    BUFFER = 16384,    // bytes, two of a request
    ANSWERS = 8,       // blocks left to the maker
    PER_SCALE = 100,   // requests
    THREADS_MAX = 256, //
};

struct request {
    uint64_t number;
    struct block answers[ANSWERS];
    uint64_t checksum;
};

static void *serve(void *argument) {
    struct request *request = argument;
    struct random random = random_seeded(request->number);
    struct block objects[OBJECTS];
    struct block in = block_new(BUFFER, random_next(&random));
    for (size_t i = 0; i < OBJECTS; i++) {
        size_t size = random_between(&random, SIZE_LOW, SIZE_HIGH);
        objects[i] = block_new(size, random_next(&random));
    }
    struct block out = block_new(BUFFER, random_next(&random));
    for (size_t i = 0; i < OBJECTS; i++)
        if (i < ANSWERS)
            request->answers[i] = objects[i];
        else
            request->checksum += block_delete(&objects[i]);
    request->checksum += block_delete(&in) ^ block_delete(&out);
    return NULL;
}

static uint64_t collect(struct request *request) {
    for (size_t i = 0; i < ANSWERS; i++)
        request->checksum += block_delete(&request->answers[i]);
    uint64_t checksum = request->checksum;
    free(request);
    return checksum;
}

static struct request *request_new(uint64_t number) {
    struct request *request = given(calloc(1, sizeof(*request)));
    request->number = number;
    return request;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 4);
    pthread_t threads[THREADS_MAX];
    struct request *requests[THREADS_MAX] = {0};
    uint64_t checksum = 0;
    uint64_t total = arguments.scale * PER_SCALE;
    // A ring: the oldest is awaited before its place is taken.
    for (uint64_t i = 0; i < total + arguments.threads; i++) {
        size_t place = (size_t)(i % arguments.threads);
        if (requests[place]) {
            pthread_join(threads[place], NULL);
            checksum += collect(requests[place]);
            requests[place] = NULL;
        }
        if (i >= total)
            continue;
        requests[place] = request_new(i);
        thread_start(&threads[place], serve, requests[place]);
    }
    return workload_result("threads", checksum);
}
