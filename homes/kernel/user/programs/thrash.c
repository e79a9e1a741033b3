/* thrash [ROUNDS [SEED]]: map, touch, protect, purge, fork, write after the fork, grow and shrink
 * the heap, give back, in random order; and look whether memory holds what it should. */
#include "user.h"

#define ROUNDS_DEFAULT 20u
#define MAPS 8u
#define PAGE 4096u
#define BYTES_MAX (256u << 10)

struct stretch {
    unsigned char *start;
    size_t bytes;
    uint64_t mark; /* each page begins with it, plus its offset */
};

static struct stretch stretch[MAPS];
static uint64_t random;

static void mark_pages(struct stretch *one) {
    one->mark = random_next(&random);
    for (size_t at = 0; at < one->bytes; at += PAGE)
        *(uint64_t *)(one->start + at) = one->mark + at;
}

static void check_pages(const struct stretch *one) {
    for (size_t at = 0; one->start != NULL && at < one->bytes; at += PAGE)
        if (*(const uint64_t *)(one->start + at) != one->mark + at) {
            printf("thrash: %p does not hold what was written\n", (void *)(one->start + at));
            end(1);
        }
}

static void map_or_unmap(struct stretch *one) {
    if (one->start != NULL) {
        check_pages(one);
        munmap(one->start, one->bytes);
        one->start = NULL;
        return;
    }
    one->bytes = (random_next(&random) % (BYTES_MAX / PAGE) + 1) * PAGE;
    one->start = map(one->bytes);
    if (one->start != NULL)
        mark_pages(one);
}

/* Half of it goes, the rest stays as it was. */
static void cut(struct stretch *one) {
    size_t kept = one->bytes / 2 / PAGE * PAGE;

    if (one->start == NULL || kept == 0)
        return;
    munmap(one->start + kept, one->bytes - kept);
    one->bytes = kept;
    check_pages(one);
}

static void protect(const struct stretch *one) {
    if (one->start == NULL)
        return;
    mprotect(one->start, one->bytes, PROTECTION_NONE);
    mprotect(one->start, one->bytes, PROTECTION_READ);
    check_pages(one);
    mprotect(one->start, one->bytes, PROTECTION_WRITE);
}

/* The first half is fresh again, the rest stays as it was. */
static void purge_half(struct stretch *one) {
    size_t half = one->bytes / 2 / PAGE * PAGE;

    if (one->start == NULL || half == 0 || purge(one->start, half) != 0)
        return;
    for (size_t at = 0; at < half; at += PAGE) {
        if (*(uint64_t *)(one->start + at) != 0) {
            printf("thrash: %p was purged and is not zero\n", (void *)(one->start + at));
            end(1);
        }
        *(uint64_t *)(one->start + at) = one->mark + at;
    }
    check_pages(one);
}

static void use_heap(void) {
    void *piece[16];

    for (unsigned i = 0; i < 16; i++) {
        size_t bytes = random_next(&random) % 4096 + 1;

        piece[i] = malloc(bytes);
        if (piece[i] != NULL)
            memset(piece[i], (int)i, bytes);
    }
    for (unsigned i = 0; i < 16; i++)
        free(piece[i]);
}

/* The child writes to what both see; the parent must not notice. */
static void fork_and_write(void) {
    int64_t child = fork();
    int32_t status = 0;

    if (child == 0) {
        for (unsigned i = 0; i < MAPS; i++) {
            check_pages(&stretch[i]);
            if (stretch[i].start != NULL)
                mark_pages(&stretch[i]);
        }
        for (unsigned i = 0; i < MAPS; i++)
            check_pages(&stretch[i]);
        end(0);
    }
    for (unsigned i = 0; i < MAPS; i++)
        check_pages(&stretch[i]);
    if (child > 0 && wait((uint32_t)child, &status) > 0 && status > 0)
        end(1);
}

int main(int argc, char **argv) {
    uint64_t rounds = argc > 1 ? size_of_text(argv[1]) : ROUNDS_DEFAULT;

    random = argc > 2 ? size_of_text(argv[2]) : getpid();
    for (uint64_t round = 0; round < rounds; round++) {
        struct stretch *one = &stretch[random_next(&random) % MAPS];

        switch (random_next(&random) % 9) {
        case 0:
            fork_and_write();
            break;
        case 1:
            cut(one);
            break;
        case 2:
            protect(one);
            break;
        case 3:
            use_heap();
            break;
        case 4:
            yield();
            break;
        case 5:
            purge_half(one);
            break;
        default:
            map_or_unmap(one);
        }
    }
    for (unsigned i = 0; i < MAPS; i++)
        check_pages(&stretch[i]);
    return 0;
}
