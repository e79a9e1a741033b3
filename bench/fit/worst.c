/* worst.c: look for the longest path and the worst packing of each policy, not only at random.
 *
 * A heap of 64 KiB; a genome is 600 operations. Hill climbing with restarts changes the genome and
 * keeps what makes the objective larger: basic blocks in one call (counted by the compiler's
 * coverage hook), or bytes of the heap that are spread over while at most M are held. The longest
 * operation found is then executed one instruction at a time (the processor's trap flag, x86-64)
 * and counted. Beside the search stand scripted adversaries that the structure of a policy
 * suggests.
 *
 *   worst ROUNDS SEED
 */
#include "larder/fit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA 65536u
#define GENES 600u
#define SLOTS 256u

static _Alignas(4096) unsigned char arena[ARENA];
static struct larder_fit heap;
static struct larder_fit_region region;

/* ---- Counting -------------------------------------------------------------------------------- */

static unsigned long blocks;
void counted___sanitizer_cov_trace_pc(void);
void counted___sanitizer_cov_trace_pc(void) {
    blocks++;
}
void *counted_memset(void *to, int value, size_t bytes);
void *counted_memset(void *to, int value, size_t bytes) {
    return memset(to, value, bytes);
}

/* The heap twice: with a counter in each basic block, for the search, and as it is shipped. */
bool counted_larder_fit_init(struct larder_fit *, enum larder_fit_policy);
size_t counted_larder_fit_add_region(struct larder_fit *, struct larder_fit_region *, void *,
                                     size_t, uint16_t, uint16_t);
void *counted_larder_fit_alloc(struct larder_fit *, size_t);
void *counted_larder_fit_aligned(struct larder_fit *, size_t, size_t);
bool counted_larder_fit_try_resize(struct larder_fit *, void *, size_t);
void counted_larder_fit_free(struct larder_fit *, void *);

struct build {
    bool (*init)(struct larder_fit *, enum larder_fit_policy);
    size_t (*add_region)(struct larder_fit *, struct larder_fit_region *, void *, size_t, uint16_t,
                         uint16_t);
    void *(*alloc)(struct larder_fit *, size_t);
    void *(*aligned)(struct larder_fit *, size_t, size_t);
    bool (*try_resize)(struct larder_fit *, void *, size_t);
    void (*free)(struct larder_fit *, void *);
};
static const struct build shipped = {larder_fit_init,    larder_fit_add_region, larder_fit_alloc,
                                     larder_fit_aligned, larder_fit_try_resize, larder_fit_free};
static const struct build counted = {counted_larder_fit_init,       counted_larder_fit_add_region,
                                     counted_larder_fit_alloc,      counted_larder_fit_aligned,
                                     counted_larder_fit_try_resize, counted_larder_fit_free};
static const struct build *build = &counted;

static volatile unsigned long steps;
static void on_step(int number) {
    (void)number;
    steps++;
}

#define TRAP_ON() __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc")
#define TRAP_OFF() __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc")

/* ---- A genome -------------------------------------------------------------------------------- */

struct gene {
    uint8_t slot;
    uint8_t kind;
    uint16_t bytes;
};

struct result {
    unsigned long blocks;
    size_t at;     /* the operation that took most */
    size_t spread; /* highest byte ever used */
};

static void *slots[SLOTS];
static size_t sizes[SLOTS];
static size_t held_most; /* M: requests beyond are left out */

static size_t do_gene(const struct gene *gene, size_t *held) {
    void **slot = &slots[gene->slot];
    if (*slot != NULL && gene->kind % 4 == 3) {
        /* The size the user counts on stays; the chunk may be larger. */
        (void)build->try_resize(&heap, *slot, gene->bytes % 64 + sizes[gene->slot]);
        return 0;
    }
    if (*slot != NULL) {
        build->free(&heap, *slot);
        *slot = NULL;
        *held -= sizes[gene->slot];
        return 0;
    }
    size_t bytes = gene->kind % 2 != 0 ? 1 + gene->bytes % 200 : 1 + gene->bytes % 3000;
    if (*held + bytes > held_most) {
        return 0;
    }
    *slot = gene->kind % 8 == 6 ? build->aligned(&heap, 64, bytes) : build->alloc(&heap, bytes);
    sizes[gene->slot] = bytes;
    if (*slot == NULL) {
        return 0;
    }
    *held += bytes;
    return (size_t)((unsigned char *)*slot + bytes - arena);
}

static struct result run(enum larder_fit_policy policy, const struct gene *genes, size_t stepped) {
    struct result result = {0, 0, 0};
    size_t held = 0;
    memset(slots, 0, sizeof slots);
    build->init(&heap, policy);
    build->add_region(&heap, &region, arena, ARENA, 0, 0);
    for (size_t i = 0; i < GENES; i++) {
        blocks = 0;
        if (i == stepped) {
            steps = 0;
            TRAP_ON();
        }
        size_t end = do_gene(&genes[i], &held);
        if (i == stepped) {
            TRAP_OFF();
        }
        if (blocks > result.blocks) {
            result.blocks = blocks;
            result.at = i;
        }
        result.spread = end > result.spread ? end : result.spread;
    }
    return result;
}

/* ---- Search ---------------------------------------------------------------------------------- */

static uint64_t state;
static uint32_t below(uint32_t bound) {
    uint64_t value = state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((value ^ (value >> 31)) >> 33) % bound;
}

static void renew(struct gene *gene) {
    gene->slot = (uint8_t)below(SLOTS);
    gene->kind = (uint8_t)below(256);
    gene->bytes = (uint16_t)below(65536);
}

static void mutate(struct gene *genes) {
    unsigned changes = 1 + below(6);
    if (below(4) == 0) { /* repeat a stretch elsewhere */
        size_t length = 1 + below(40), from = below(GENES - 40), to = below(GENES - 40);
        memmove(&genes[to], &genes[from], length * sizeof *genes);
    }
    while (changes-- > 0) {
        renew(&genes[below(GENES)]);
    }
}

static size_t score(const struct result *result, bool by_spread) {
    return by_spread ? result->spread : result->blocks;
}

static void search(enum larder_fit_policy policy, bool by_spread, unsigned rounds,
                   struct gene *best, struct result *best_result) {
    static struct gene genes[GENES];
    memset(best_result, 0, sizeof *best_result);
    for (unsigned restart = 0; restart < 4; restart++) {
        static struct gene current[GENES];
        for (size_t i = 0; i < GENES; i++) {
            renew(&current[i]);
        }
        struct result at = run(policy, current, GENES);
        for (unsigned round = 0; round < rounds / 4; round++) {
            memcpy(genes, current, sizeof genes);
            mutate(genes);
            struct result next = run(policy, genes, GENES);
            if (score(&next, by_spread) >= score(&at, by_spread)) {
                memcpy(current, genes, sizeof genes);
                at = next;
            }
        }
        if (score(&at, by_spread) > score(best_result, by_spread)) {
            memcpy(best, current, sizeof genes);
            *best_result = at;
        }
    }
}

/* ---- Scripted -------------------------------------------------------------------------------- */

static unsigned long count_steps(void (*body)(void *), void *context) {
    steps = 0;
    TRAP_ON();
    body(context);
    TRAP_OFF();
    return steps;
}

static void do_alloc(void *context) {
    (void)larder_fit_alloc(&heap, *(size_t *)context);
}

static void do_free(void *context) {
    larder_fit_free(&heap, context);
}

/* As many smallest holes as the arena holds, none of which is enough: a list looks at all; a tree
 * or a bitmap does not. And the free in the middle of it. */
static void comb(enum larder_fit_policy policy, unsigned long *alloc, unsigned long *give) {
    static void *teeth[ARENA / 32];
    size_t count = 0, wanted = 2000;
    larder_fit_init(&heap, policy);
    larder_fit_add_region(&heap, &region, arena, ARENA, 0, 0);
    while ((teeth[count] = larder_fit_alloc(&heap, 24)) != NULL) {
        count++;
    }
    /* Make room for the request at the far end, and leave the middle half in use, so that a free
     * there has many holes before it and many chunks in use behind. */
    for (size_t i = 0; i < count / 4; i += 2) {
        larder_fit_free(&heap, teeth[i]);
    }
    *give = count_steps(do_free, teeth[count / 4 + 1]);
    for (size_t i = count / 4 + 3; i < count - 100; i += 2) {
        larder_fit_free(&heap, teeth[i]);
    }
    for (size_t i = count - 80; i < count; i++) {
        larder_fit_free(&heap, teeth[i]);
    }
    *alloc = count_steps(do_alloc, &wanted);
}

int main(int count, char **words) {
    unsigned rounds = count > 1 ? (unsigned)atoi(words[1]) : 4000;
    static struct gene best[GENES];
    struct result found;
    state = count > 2 ? strtoull(words[2], NULL, 0) : 1;
    signal(SIGTRAP, on_step);
    printf("seed\t%llu\trounds\t%u\n", (unsigned long long)state, rounds);
    for (unsigned p = 0; p < LARDER_FIT_POLICY_COUNT; p++) {
        enum larder_fit_policy policy = (enum larder_fit_policy)p;
        const char *name = larder_fit_policy_text(policy);
        unsigned long comb_alloc = 0, comb_free = 0;
        held_most = ARENA;
        search(policy, false, rounds, best, &found);
        build = &shipped;
        (void)run(policy, best, found.at);
        build = &counted;
        unsigned long longest = steps;
        comb(policy, &comb_alloc, &comb_free);
        held_most = ARENA / 4;
        search(policy, true, rounds, best, &found);
        printf("worst\t%s\t%lu\t%lu\t%lu\t%.2f\n", name, longest, comb_alloc, comb_free,
               (double)found.spread / (double)held_most);
        fflush(stdout);
    }
    return 0;
}
