#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, WORD = sizeof(uint64_t), THREADS_MAX = 256, STACK = 256 << 10 };

_Noreturn void workload_fail(const char *what) {
    fprintf(stderr, "workload: %s\n", what);
    exit(1);
}

static uint64_t number(const char *text, uint64_t limit) {
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end || value < 1 || value > limit)
        workload_fail("usage: NAME SCALE [THREADS [FORM]], both at least 1");
    return value;
}

struct arguments workload_arguments(int count, char **text, unsigned threads) {
    if (count < 2 || count > 4)
        workload_fail("usage: NAME SCALE [THREADS [FORM]]");
    struct arguments arguments = {.threads = threads, .form = count > 3 ? text[3] : ""};
    arguments.scale = number(text[1], 1u << 30);
    if (count > 2)
        arguments.threads = (unsigned)number(text[2], THREADS_MAX);
    return arguments;
}

int workload_result(const char *name, uint64_t checksum) {
    printf("%s %016llx\n", name, (unsigned long long)checksum);
    return fflush(stdout) == 0 ? 0 : 1;
}

static void put_word(unsigned char *at, uint64_t word) {
    memcpy(at, &word, WORD);
}

static uint64_t get_word(const unsigned char *at) {
    uint64_t word;
    memcpy(&word, at, WORD);
    return word;
}

void block_stamp(struct block block) {
    for (size_t at = 0; at + WORD <= block.size; at += CACHE_LINE)
        put_word(block.bytes + at, block.tag);
    put_word(block.bytes + block.size - WORD, block.tag);
}

// The first and the last word: what a neighbour that overlaps would have written to.
void block_check(const struct block *block) {
    uint64_t last = get_word(block->bytes + block->size - WORD);
    // The last word may lie across the first.
    bool whole = block->size >= 2 * WORD || block->size == WORD;
    if (last != block->tag || (whole && get_word(block->bytes) != block->tag))
        workload_fail("a block does not hold what was written to it");
}

struct block block_new(size_t size, uint64_t tag) {
    struct block block = {given(malloc(size)), size, tag};
    block_stamp(block);
    return block;
}

uint64_t block_delete(struct block *block) {
    block_check(block);
    free(block->bytes);
    block->bytes = NULL;
    return block->tag;
}

void thread_start(pthread_t *thread, void *(*work)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(thread, &attributes, work, argument))
        workload_fail("no thread");
    pthread_attr_destroy(&attributes);
}

void threads_run(void *(*work)(void *), void *elements, size_t width, unsigned count) {
    pthread_t threads[THREADS_MAX];
    for (unsigned i = 0; i < count; i++)
        thread_start(&threads[i], work, (char *)elements + i * width);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}
