/* policies: the same random requests under each policy of the region heap: how much memory each
 * needs for them, and into how many pieces its free memory falls. */
#include "user.h"

#define OBJECTS 1000u
#define STEPS 8000u

static void *object[OBJECTS];

/* Mostly small, sometimes large, as programs do. */
static size_t random_size(uint64_t *random) {
    uint64_t value = random_next(random);

    return 16 + (value >> 8) % (value % 16 == 0 ? 16384 : value % 4 == 0 ? 1024 : 128);
}

static int work(void) {
    uint64_t random = 1;

    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)(random_next(&random) % OBJECTS);

        free(object[i]);
        object[i] = random_next(&random) % 4 == 0 ? NULL : malloc(random_size(&random));
    }
    return 0;
}

static int report(enum larder_fit_policy policy) {
    struct larder_fit_diagnosis diagnosis;
    struct meminfo info;

    heap_policy(policy);
    work();
    heap_diagnose(&diagnosis);
    meminfo(&info);
    printf("%-6s %7zu %7zu %7zu %8zu %10u.%u %% %10lu\n", larder_fit_policy_text(policy),
           diagnosis.capacity_bytes >> 10, diagnosis.live_bytes >> 10, diagnosis.free_bytes >> 10,
           diagnosis.free_chunks, diagnosis.external_permille / 10,
           diagnosis.external_permille % 10, info.resident_bytes >> 10);
    return 0;
}

int main(int argc, char **argv) {
    int failed = 0;

    (void)argc, (void)argv;
    printf("policy heap KiB    live    free   chunks  fragmented   resident\n");
    for (unsigned policy = 0; policy < LARDER_FIT_POLICY_COUNT; policy++) {
        int64_t child = fork();
        int32_t status = 1;

        if (child == 0)
            return report((enum larder_fit_policy)policy);
        failed += child < 0 || wait(0, &status) < 0 || status != 0;
    }
    return failed;
}
