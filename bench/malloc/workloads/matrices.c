/*
 * Numbers in matrices of 32 x 32 to 90 x 90 doubles, 8 to 64 KiB: each step makes one or two new
 * ones out of old ones and forgets an old one. Blocks too large for small size classes, too small
 * for mmap.
 */
#include "workload.h"

#include <stdlib.h>

enum {
    MATRICES = 256, // alive
    SIDE_LOW = 32,
    SIDE_HIGH = 90,
    PER_SCALE = 1000, // steps
};

struct matrix {
    size_t side;
    double *cells;
};

static struct matrix matrix_new(size_t side) {
    return (struct matrix){side, given(malloc(side * side * sizeof(double)))};
}

static struct matrix matrix_random(struct random *random) {
    struct matrix matrix = matrix_new(random_between(random, SIDE_LOW, SIDE_HIGH));
    for (size_t i = 0; i < matrix.side * matrix.side; i++)
        matrix.cells[i] = (double)(i & 255);
    return matrix;
}

static struct matrix matrix_transposed(const struct matrix *from) {
    struct matrix to = matrix_new(from->side);
    for (size_t row = 0; row < to.side; row++)
        for (size_t column = 0; column < to.side; column++)
            to.cells[row * to.side + column] = from->cells[column * to.side + row];
    return to;
}

// What of the two overlaps, added; values stay small integers, so the order of sums is no matter.
static struct matrix matrix_mixed(const struct matrix *a, const struct matrix *b) {
    struct matrix sum = matrix_new(a->side < b->side ? a->side : b->side);
    for (size_t row = 0; row < sum.side; row++)
        for (size_t column = 0; column < sum.side; column++) {
            double cell = a->cells[row * a->side + column] + b->cells[row * b->side + column];
            sum.cells[row * sum.side + column] = cell < 1024.0 ? cell : cell - 1024.0;
        }
    return sum;
}

static uint64_t matrix_trace(const struct matrix *matrix) {
    double trace = 0.0;
    for (size_t i = 0; i < matrix->side; i++)
        trace += matrix->cells[i * matrix->side + i];
    return (uint64_t)trace;
}

static void step(struct matrix *all, struct random *random) {
    struct matrix *a = &all[random_below(random, MATRICES)];
    struct matrix transposed = matrix_transposed(&all[random_below(random, MATRICES)]);
    struct matrix result = matrix_mixed(a, &transposed);
    free(transposed.cells);
    // Mixtures get smaller and smaller: now and then a new one comes in.
    if (random_below(random, 2)) {
        free(result.cells);
        result = matrix_random(random);
    }
    free(a->cells);
    *a = result;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 1);
    struct random random = random_seeded(1);
    static struct matrix all[MATRICES];
    for (size_t i = 0; i < MATRICES; i++)
        all[i] = matrix_random(&random);
    for (uint64_t i = 0; i < arguments.scale * PER_SCALE; i++)
        step(all, &random);
    uint64_t checksum = 0;
    for (size_t i = 0; i < MATRICES; i++) {
        checksum = checksum * 31 + matrix_trace(&all[i]);
        free(all[i].cells);
    }
    return workload_result("matrices", checksum);
}
