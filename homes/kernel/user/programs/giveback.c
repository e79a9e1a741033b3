/* giveback [SIZE [SEED]]: the core's heap in a process. Allocate so much in pieces of all sizes,
 * grow some, fork, free everything in another order, give it back; and look whether memory holds
 * what it should, and whether the kernel has it again. */
#include "user.h"

#define SIZE_DEFAULT (4ul << 20)
#define PIECES_MAX 20000u
#define KEPT_BYTES (256u << 10) /* the frame map, slots, descriptors, and a child's copies */

struct piece {
    unsigned char *start;
    size_t bytes;
};

static struct piece piece[PIECES_MAX];
static unsigned pieces;
static uint64_t random;

static void fail(const char *what) {
    printf("giveback: %s\n", what);
    end(1);
}

static size_t random_size(void) {
    uint64_t value = random_next(&random);

    return 1 + (value >> 8) % (value % 64 == 0 ? 300000 : value % 8 == 0 ? 20000 : 1000);
}

/* Its number, at both ends. */
static void mark(unsigned i) {
    piece[i].start[0] = (unsigned char)i;
    piece[i].start[piece[i].bytes - 1] = (unsigned char)i;
}

static void check(unsigned i) {
    if (piece[i].start[0] != (unsigned char)i ||
        piece[i].start[piece[i].bytes - 1] != (unsigned char)i)
        fail("a piece does not hold what was written");
}

/* Every page of it is touched. */
static size_t take(unsigned i) {
    piece[i].bytes = random_size();
    piece[i].start = malloc(piece[i].bytes);
    if (piece[i].start == NULL)
        fail("no memory");
    if ((uintptr_t)piece[i].start % (piece[i].bytes < 16 ? 8 : 16) != 0)
        fail("a piece is not aligned");
    memset(piece[i].start, 0, piece[i].bytes);
    mark(i);
    return piece[i].bytes;
}

static void resize(unsigned i) {
    size_t bytes = random_size();
    unsigned char *start = realloc(piece[i].start, bytes);

    if (start == NULL)
        fail("no memory to resize");
    if (start[0] != (unsigned char)i)
        fail("a piece lost its beginning");
    piece[i] = (struct piece){start, bytes};
    mark(i);
}

static void free_all(void) {
    for (unsigned left = pieces; left > 0; left--) {
        unsigned i = (unsigned)(random_next(&random) % left);

        check(i);
        free(piece[i].start);
        piece[i] = piece[left - 1];
        if (i != left - 1)
            mark(i);
    }
}

static uint64_t resident(void) {
    struct meminfo info;

    if (meminfo(&info) != 0)
        fail("no meminfo");
    return info.resident_bytes;
}

/* The child's heap is a copy: what it frees stays the parent's. */
static void fork_and_free(void) {
    int64_t child = fork();
    int32_t status = 1;

    if (child == 0) {
        free_all();
        heap_trim();
        end(0);
    }
    if (child < 0 || wait((uint32_t)child, &status) != child || status != 0)
        fail("the child came out wrong");
}

int main(int argc, char **argv) {
    size_t wanted = argc > 1 ? size_of_text(argv[1]) : SIZE_DEFAULT, taken = 0;
    uint64_t at_first = resident(), full;

    random = argc > 2 ? size_of_text(argv[2]) : 1;
    heap_choose(&heap_core);
    for (; pieces < PIECES_MAX && taken < wanted; pieces++)
        taken += take(pieces);
    for (unsigned i = 0; i < pieces; i += 7)
        resize(i);
    fork_and_free();
    full = resident();
    free_all();
    heap_trim();
    printf("giveback: %u pieces, %zu KiB; resident: %lu KiB at first, then %lu, in the end %lu\n",
           pieces, taken >> 10, at_first >> 10, full >> 10, resident() >> 10);
    if (full < at_first + taken)
        fail("less was resident than was written");
    return resident() > at_first + KEPT_BYTES;
}
