/* bench core: see bench.h. Usage: core OUTPUT.json [quick] [contest …] */
#include "bench.h"

#include <string.h>

static const struct {
    const char *name;
    void (*run)(void);
} part[] = {
    {"objects", bench_objects}, {"frames", bench_frames}, {"pipe", bench_pipe},
    {"churn", bench_churn},     {"growth", bench_growth}, {"startup", bench_startup},
};
enum { PARTS = sizeof part / sizeof part[0] };

static bool wanted(const char *name, int count, char **names) {
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return count == 0;
}

static void check_names(int count, char **names) {
    for (int i = 0; i < count; i++) {
        unsigned p = 0;
        while (p < PARTS && strcmp(part[p].name, names[i]) != 0)
            p++;
        if (p == PARTS)
            die("no part \"%s\"; there are objects, frames, pipe, churn, growth, startup",
                names[i]);
    }
}

int main(int argc, char **argv) {
    if (argc < 2)
        die("usage: core OUTPUT.json [quick] [objects|frames|pipe|churn|growth|startup] ...");
    quick = argc > 2 && strcmp(argv[2], "quick") == 0;
    const int skip = quick ? 3 : 2;
    check_names(argc - skip, argv + skip);
    harness_start();
    for (unsigned i = 0; i < PARTS; i++)
        if (wanted(part[i].name, argc - skip, argv + skip))
            part[i].run();
    results_write(argv[1]);
    return 0;
}
