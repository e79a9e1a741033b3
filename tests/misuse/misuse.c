/* One mistake per case, each in a process of its own, matched with the exact report. */
#include "harness.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- The world of a case ---- */

static struct sim *sim;
static struct larder *larder;

static const struct larder_range ranges[] = {{GIB, 16 * MIB, LARDER_RANGE_USABLE},
                                             {GIB + 8 * MIB, MIB, LARDER_RANGE_RESERVED},
                                             {GIB + 10 * MIB, MIB, LARDER_RANGE_DEVICE},
                                             {GIB + 12 * MIB, MIB, LARDER_RANGE_DONATED},
                                             {GIB + 32 * MIB, 16 * MIB, LARDER_RANGE_USABLE}};

static void *at(uint64_t address) {
    return larder_frames_pointer(larder, address);
}

static struct larder_cache *cache_named(const char *name, uint32_t flags) {
    return larder_cache_create(
        larder, &(struct larder_cache_config){.name = name, .size_bytes = 48, .flags = flags},
        NULL);
}

/* ---- Mistakes with frames ---- */

static void double_free_of_a_frame(void) {
    void *frame = larder_frames_alloc(larder, 0, 0);
    larder_frames_free(larder, frame);
    larder_frames_free(larder, frame);
}

static void double_free_of_a_block(void) {
    void *block = larder_frames_alloc(larder, 6, 0);
    larder_frames_free(larder, block);
    larder_frames_free(larder, block);
}

static void double_free_after_reclaim(void) {
    void *block = larder_frames_alloc(larder, 2, 0);
    larder_frames_free(larder, block);
    larder_reclaim(larder);
    larder_frames_free(larder, block);
}

static void double_free_of_the_middle_of_a_freed_run(void) {
    char *run = larder_frames_alloc_exact(larder, 100, 0);
    larder_frames_free(larder, run);
    larder_frames_free(larder, run + 50 * FRAME);
}

static void free_of_the_second_frame_of_a_block(void) {
    larder_frames_free(larder, (char *)larder_frames_alloc(larder, 3, 0) + FRAME);
}

static void free_of_the_last_frame_of_a_run(void) {
    larder_frames_free(larder, (char *)larder_frames_alloc_exact(larder, 700, 0) + 699 * FRAME);
}

static void free_of_an_unaligned_frame(void) {
    larder_frames_free(larder, (char *)larder_frames_alloc(larder, 0, 0) + 16);
}

static void free_of_reserved_memory(void) {
    larder_frames_free(larder, at(GIB + 8 * MIB));
}

static void free_of_device_memory(void) {
    larder_frames_free(larder, at(GIB + 10 * MIB));
}

static void free_of_memory_still_to_be_donated(void) {
    larder_frames_free(larder, at(GIB + 12 * MIB));
}

static void free_of_a_hole(void) {
    larder_frames_free(larder, at(GIB + 20 * MIB));
}

static void free_of_a_frame_never_allocated(void) {
    larder_frames_free(larder, at(GIB + 15 * MIB));
}

static void free_of_a_local_variable(void) {
    int local;
    larder_frames_free(larder, &local);
}

static void free_of_an_address_below_the_span(void) {
    larder_frames_free(larder, at(GIB - FRAME));
}

static void free_of_an_address_above_the_span(void) {
    larder_frames_free(larder, at(GIB + 48 * MIB));
}

static void free_of_the_last_pointer(void) {
    larder_frames_free(larder, (void *)UINTPTR_MAX);
}

static void free_with_another_order(void) {
    larder_frames_free_order(larder, larder_frames_alloc(larder, 3, 0), 2);
}

static void free_with_an_impossible_order(void) {
    larder_frames_free_order(larder, larder_frames_alloc(larder, 3, 0), UINT_MAX);
}

static void free_of_a_run_with_an_order(void) {
    larder_frames_free_order(larder, larder_frames_alloc_exact(larder, 5, 0), 3);
}

static void free_of_an_object_as_frames(void) {
    larder_frames_free(larder, larder_cache_alloc(cache_named("mine", 0), 0));
}

static void bulk_free_with_one_twice(void) {
    void *blocks[3];
    larder_frames_alloc_bulk(larder, 5, 2, blocks, 0);
    blocks[2] = blocks[0];
    larder_frames_free_bulk(larder, 3, blocks);
}

/* ---- Mistakes with caches ---- */

static void double_free_of_an_object(void) {
    struct larder_cache *cache = cache_named("mine", LARDER_CACHE_NO_MAGAZINE);
    void *object = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, object);
    larder_cache_free(cache, object);
}

static void double_free_of_an_object_in_a_magazine(void) {
    struct larder_cache *cache = cache_named("mine", 0);
    void *object = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, object);
    larder_cache_free(cache, object);
    larder_cache_shrink(cache);
}

static void free_of_the_middle_of_an_object(void) {
    struct larder_cache *cache = cache_named("mine", LARDER_CACHE_NO_MAGAZINE);
    larder_cache_free(cache, (char *)larder_cache_alloc(cache, 0) + 8);
}

static void free_of_the_middle_of_an_object_in_a_magazine(void) {
    struct larder_cache *cache = cache_named("mine", 0);
    larder_cache_free(cache, (char *)larder_cache_alloc(cache, 0) + 8);
    larder_cache_shrink(cache);
}

static void free_to_another_cache(void) {
    struct larder_cache *mine = cache_named("mine", 0), *other = cache_named("other", 0);
    larder_cache_free(other, larder_cache_alloc(mine, 0));
}

static void free_of_frames_to_a_cache(void) {
    larder_cache_free(cache_named("mine", 0), larder_frames_alloc(larder, 0, 0));
}

static void free_of_a_foreign_object(void) {
    int local;
    larder_cache_free(cache_named("mine", 0), &local);
}

static void free_of_free_memory_to_a_cache(void) {
    larder_cache_free(cache_named("mine", 0), at(GIB + 15 * MIB));
}

static void use_of_a_destroyed_cache(void) {
    struct larder_cache *cache = cache_named("mine", 0);
    larder_cache_destroy(cache, NULL, NULL);
    larder_cache_destroy(cache, NULL, NULL);
}

static void alloc_from_a_destroyed_cache(void) {
    struct larder_cache *cache = cache_named("mine", 0);
    larder_cache_destroy(cache, NULL, NULL);
    larder_cache_alloc(cache, 0);
}

static void free_to_a_destroyed_cache(void) {
    struct larder_cache *cache = cache_named("mine", 0);
    void *object = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, object);
    larder_cache_destroy(cache, NULL, NULL);
    larder_cache_free(cache, object);
}

static void running_out_with_panic(void) {
    struct larder_cache *cache = larder_cache_create(
        larder,
        &(struct larder_cache_config){
            .name = "vital", .size_bytes = 48, .flags = LARDER_CACHE_PANIC, .limit_objects = 1},
        NULL);
    larder_cache_alloc(cache, 0);
    larder_cache_alloc(cache, 0);
}

/* ---- Mistakes with the heap ---- */

static void double_free_of_heap_memory(void) {
    void *pointer = larder_alloc(larder, 100);
    larder_free(larder, pointer);
    larder_free(larder, pointer);
    larder_reclaim(larder);
}

static void double_free_of_large_heap_memory(void) {
    void *pointer = larder_alloc(larder, 100000);
    larder_free(larder, pointer);
    larder_free(larder, pointer);
}

static void free_inside_large_heap_memory(void) {
    larder_free(larder, (char *)larder_alloc(larder, 100000) + 64);
}

static void free_of_a_string(void) {
    larder_free(larder, (void *)(uintptr_t) "a string");
}

static void sized_free_with_a_wrong_size(void) {
    larder_free_sized(larder, larder_alloc(larder, 100), 200);
}

static void realloc_of_a_freed_run(void) {
    void *pointer = larder_alloc(larder, 100000);
    larder_free(larder, pointer);
    larder_realloc(larder, pointer, 10);
}

static void realloc_of_a_foreign_pointer(void) {
    int local;
    larder_realloc(larder, &local, 10);
}

static void overrun_of_a_watched_object(void) {
    larder_debug_parse(larder, "Z");
    struct larder_cache *cache = cache_named("watched", 0);
    char *object = larder_cache_alloc(cache, 0);
    object[48] = 1;
    larder_cache_free(cache, object);
}

static void underrun_of_a_watched_object(void) {
    larder_debug_parse(larder, "Z");
    struct larder_cache *cache = cache_named("watched", 0);
    char *object = larder_cache_alloc(cache, 0);
    object[-1] = 1;
    larder_cache_free(cache, object);
}

static void write_after_free_of_a_watched_object(void) {
    larder_debug_parse(larder, "P");
    struct larder_cache *cache = cache_named("watched", 0);
    char *object = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, object);
    object[5] = 1;
    larder_cache_alloc(cache, 0);
}

/* ---- The cases ---- */

struct mistake {
    const char *name;
    void (*make)(void);
    const char *report; /* of the line that begins with BUG; pointers read PTR */
};

#define MISTAKE(name, report)                                                                      \
    { #name, name, report }

static const struct mistake mistakes[] = {
    MISTAKE(double_free_of_a_frame, "free frames: double free: PTR: the frames are free already"),
    MISTAKE(double_free_of_a_block, "free frames: double free: PTR: the frames are free already"),
    MISTAKE(double_free_after_reclaim,
            "free frames: double free: PTR: the frames are free already"),
    MISTAKE(double_free_of_the_middle_of_a_freed_run,
            "free frames: double free: PTR: the frames are free already"),
    MISTAKE(free_of_the_second_frame_of_a_block,
            "frames: free of an interior pointer: PTR: not the start of the block"),
    MISTAKE(free_of_the_last_frame_of_a_run,
            "frames: free of an interior pointer: PTR: not the start of the block"),
    MISTAKE(free_of_an_unaligned_frame,
            "frames: free of an interior pointer: PTR: not the start of the block"),
    MISTAKE(free_of_reserved_memory, "reserved: free of reserved memory: PTR: never given out"),
    MISTAKE(free_of_device_memory, "reserved: free of reserved memory: PTR: never given out"),
    MISTAKE(free_of_memory_still_to_be_donated,
            "reserved: free of reserved memory: PTR: never given out"),
    MISTAKE(free_of_a_hole, "hole: free of reserved memory: PTR: no RAM at this address"),
    MISTAKE(free_of_a_frame_never_allocated,
            "free frames: double free: PTR: the frames are free already"),
    MISTAKE(free_of_a_local_variable,
            "nobody: free of foreign memory: PTR: outside the memory of this instance"),
    MISTAKE(free_of_an_address_below_the_span,
            "nobody: free of foreign memory: PTR: outside the memory of this instance"),
    MISTAKE(free_of_an_address_above_the_span,
            "nobody: free of foreign memory: PTR: outside the memory of this instance"),
    MISTAKE(free_of_the_last_pointer,
            "nobody: free of foreign memory: PTR: outside the memory of this instance"),
    MISTAKE(free_with_another_order,
            "frames: free with the wrong order or size: PTR: the block was "
            "allocated with another order"),
    MISTAKE(free_with_an_impossible_order,
            "frames: free with the wrong order or size: PTR: the block was allocated with another "
            "order"),
    MISTAKE(free_of_a_run_with_an_order,
            "frames: free with the wrong order or size: PTR: the block was allocated with another "
            "order"),
    MISTAKE(free_of_an_object_as_frames,
            "mine: free to the wrong cache: PTR: an object of a cache, not frames"),
    MISTAKE(bulk_free_with_one_twice, "free frames: double free: PTR: the frames are free already"),
    MISTAKE(double_free_of_an_object, "mine: double free: PTR: the object is free already"),
    MISTAKE(double_free_of_an_object_in_a_magazine,
            "mine: double free: PTR: the object is free already"),
    MISTAKE(free_of_the_middle_of_an_object,
            "mine: free of an interior pointer: PTR: not the start of an object"),
    MISTAKE(free_of_the_middle_of_an_object_in_a_magazine,
            "mine: free of an interior pointer: PTR: not the start of an object"),
    MISTAKE(free_to_another_cache, "mine: free to the wrong cache: PTR: freed to another cache"),
    MISTAKE(free_of_frames_to_a_cache,
            "frames: free to the wrong cache: PTR: freed to another cache"),
    MISTAKE(free_of_a_foreign_object,
            "nobody: free of foreign memory: PTR: outside the memory of this instance"),
    MISTAKE(free_of_free_memory_to_a_cache,
            "free frames: double free: PTR: the frames are free already"),
    MISTAKE(use_of_a_destroyed_cache, "mine: use of a destroyed cache: PTR: destroyed twice"),
    MISTAKE(alloc_from_a_destroyed_cache,
            "mine: use of a destroyed cache: PTR: used after its destruction"),
    MISTAKE(free_to_a_destroyed_cache,
            "mine: use of a destroyed cache: PTR: used after its destruction"),
    MISTAKE(running_out_with_panic, "vital: out of memory: the cache may not run out"),
    MISTAKE(double_free_of_heap_memory, "heap-112: double free: PTR: the object is free already"),
    MISTAKE(double_free_of_large_heap_memory,
            "free frames: double free: PTR: the frames are free already"),
    MISTAKE(free_inside_large_heap_memory,
            "frames: free of an interior pointer: PTR: not the start of the block"),
    MISTAKE(free_of_a_string,
            "nobody: free of foreign memory: PTR: outside the memory of this instance"),
    MISTAKE(sized_free_with_a_wrong_size,
            "heap-112: free with the wrong order or size: PTR: the size "
            "given does not belong to this memory"),
    MISTAKE(realloc_of_a_freed_run, "free frames: double free: PTR: the frames are free already"),
    MISTAKE(realloc_of_a_foreign_pointer,
            "nobody: free of foreign memory: PTR: outside the memory of this instance"),
    MISTAKE(overrun_of_a_watched_object, "watched: red zone overwritten: PTR: right red zone"),
    MISTAKE(underrun_of_a_watched_object, "watched: red zone overwritten: PTR: left red zone"),
    MISTAKE(write_after_free_of_a_watched_object, "watched: written after free: PTR: poison"),
};

/* ---- Running one ---- */

static int pipe_end;

static void write_to_pipe(void *context, const char *bytes, size_t length) {
    (void)context;
    if (write(pipe_end, bytes, length) != (ssize_t)length) {
        _exit(3);
    }
}

/* The fatal itself writes the report and ends the process, as a home would. */
static void report_and_end(const char *message) {
    (void)message;
    const struct larder_sink sink = {write_to_pipe, NULL};
    larder_fatal_write(&sim_fatal_last.fatal, &sink);
    _exit(42);
}

static void run_child(const struct mistake *mistake) {
    sim_failed = report_and_end;
    sim = sim_start(&(struct sim_config){.range = ranges, .range_count = COUNT(ranges)});
    larder = sim->larder;
    mistake->make();
    _exit(0);
}

static void blank_pointers(char *text) {
    for (char *at_hex; (at_hex = strstr(text, "0x")) != NULL;) {
        size_t digits = strspn(at_hex + 2, "0123456789abcdef");
        memcpy(at_hex, "PTR", 3);
        memmove(at_hex + 3, at_hex + 2 + digits, strlen(at_hex + 2 + digits) + 1);
    }
}

static void a_mistake(void **state) {
    const struct mistake *mistake = *state;
    char report[8192], line[512] = "";
    size_t length = 0;
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pipe_end = ends[1];
        run_child(mistake);
    }
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], report + length, sizeof report - 1 - length)) > 0;) {
        length += (size_t)got;
    }
    close(ends[0]);
    report[length] = '\0';
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42); /* 0: the mistake went unnoticed */
    assert_non_null(strstr(report, "BUG "));
    assert_int_equal(sscanf(strstr(report, "BUG ") + 4, "%511[^\n]", line), 1);
    blank_pointers(line);
    assert_string_equal(line, mistake->report);
}

int main(void) {
    struct CMUnitTest tests[COUNT(mistakes)];
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        tests[i] = (struct CMUnitTest){.name = mistakes[i].name,
                                       .test_func = a_mistake,
                                       .initial_state = (void *)(uintptr_t)&mistakes[i]};
    }
    return _cmocka_run_group_tests("misuse", tests, COUNT(mistakes), NULL, NULL);
}
