/* policies: the same random requests under each policy of the region heap, and to the core's heap:
 * how much memory each needs for them, and into how many pieces its free memory falls. */
#include "user.h"

#define OBJECTS 1000u
#define STEPS 8000u

struct object {
    void *start;
    size_t bytes;
};

/* Mostly small, sometimes large, as programs do. */
static size_t random_size(uint64_t *random) {
    uint64_t value = random_next(random);

    return 16 + (value >> 8) % (value % 16 == 0 ? 16384 : value % 4 == 0 ? 1024 : 128);
}

/* What is asked for in the end, in bytes. */
static size_t work(void) {
    static struct object object[OBJECTS];
    uint64_t random = 1;
    size_t live = 0;

    for (unsigned step = 0; step < STEPS; step++) {
        struct object *one = &object[random_next(&random) % OBJECTS];

        free(one->start);
        live -= one->bytes;
        *one = (struct object){.bytes = 0};
        if (random_next(&random) % 4 == 0)
            continue;
        one->bytes = random_size(&random);
        one->start = malloc(one->bytes);
        if (one->start == NULL)
            end(2);
        memset(one->start, 1, one->bytes);
        live += one->bytes;
    }
    return live;
}

static int report(const char *name) {
    size_t live = work(), elsewhere;
    struct heap_account account;
    struct meminfo info;

    meminfo(&info); /* first: looking reads all of the core's map, which brings it in */
    heap_look(&account);
    elsewhere = account.free_bytes - account.largest_bytes;
    printf("%-10s %6zu %7zu %7zu %8zu %10zu %% %10lu\n", name, account.capacity_bytes >> 10,
           live >> 10, account.free_bytes >> 10, account.pieces,
           elsewhere * 100 / (account.free_bytes != 0 ? account.free_bytes : 1),
           info.resident_bytes >> 10);
    return 0;
}

/* In a process of its own; `policy` LARDER_FIT_POLICY_COUNT: the core's heap. */
static int run(unsigned policy) {
    if (policy == LARDER_FIT_POLICY_COUNT) {
        heap_choose(&heap_core);
        return report("core");
    }
    heap_policy((enum larder_fit_policy)policy);
    return report(larder_fit_policy_text((enum larder_fit_policy)policy));
}

int main(int argc, char **argv) {
    int failed = 0;

    (void)argc, (void)argv;
    printf("heap          KiB    live    free   pieces   elsewhere   resident\n");
    for (unsigned policy = 0; policy <= LARDER_FIT_POLICY_COUNT; policy++) {
        int64_t child = fork();
        int32_t status = 1;

        if (child == 0)
            return run(policy);
        failed += child < 0 || wait(0, &status) < 0 || status != 0;
    }
    return failed;
}
