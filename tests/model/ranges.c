/* The range table against a byte per cell, low in the address space and at its very end. */
#include "model.h"

#include "range.h"

#define CELLS 480u
#define CELL_BYTES 1024u /* four to a frame, so boundaries are often unaligned */

static struct larder_ranges table;
static unsigned char kind_at[CELLS];
static uint64_t base; /* address of cell 0; a frame's multiple */

static void start(struct random *random) {
    larder_ranges_init(&table);
    memset(kind_at, 0, sizeof kind_at);
    base = random_below(random, 2) ? 0 : (UINT64_MAX - CELLS * CELL_BYTES) & ~(FRAME - 1);
}

static void abandon(void) {
}

static unsigned cells_in_runs(void) {
    unsigned runs = 0;
    for (unsigned i = 0; i < CELLS; i++) {
        runs += kind_at[i] != 0 && (i == 0 || kind_at[i] != kind_at[i - 1]);
    }
    return runs;
}

static void expect_same(void) {
    unsigned entry = 0;
    for (unsigned i = 0; i < CELLS;) {
        unsigned end = i + 1;
        while (end < CELLS && kind_at[end] == kind_at[i]) {
            end++;
        }
        if (kind_at[i] != 0) {
            sim_check(entry < table.count);
            sim_check(table.range[entry].address == base + i * CELL_BYTES);
            sim_check(table.range[entry].size_bytes == (uint64_t)(end - i) * CELL_BYTES);
            sim_check(table.range[entry].kind == (enum larder_range_kind)kind_at[i]);
            entry++;
        }
        i = end;
    }
    sim_check(entry == table.count);
}

static void apply_add(const struct op *op) {
    unsigned char before[CELLS];
    unsigned first = op->a % CELLS;
    unsigned count = op->b % (op->c % 8 ? 12 : CELLS);
    unsigned kind = 1 + op->c / 8 % 4;
    count = count > CELLS - first ? CELLS - first : count;
    memcpy(before, kind_at, sizeof before);
    for (unsigned i = first; i < first + count; i++) {
        kind_at[i] = (unsigned char)(kind > kind_at[i] ? kind : kind_at[i]);
    }
    bool fits = cells_in_runs() <= LARDER_RANGES_MAX;
    enum larder_status status =
        larder_ranges_add(&table, base + first * CELL_BYTES, (uint64_t)count * CELL_BYTES,
                          (enum larder_range_kind)kind);
    sim_check(status == (fits ? LARDER_OK : LARDER_TOO_MANY));
    if (!fits) {
        memcpy(kind_at, before, sizeof before);
    }
}

/* The highest place where the reference has `count` usable frames; CELLS if there is none. */
static unsigned reference_take(unsigned count, unsigned align, unsigned limit) {
    unsigned per_frame = FRAME / CELL_BYTES;
    for (unsigned at = CELLS / per_frame; at-- > 0;) {
        unsigned cell = at * per_frame, cells = count * per_frame;
        uint64_t address = base + cell * CELL_BYTES;
        if (address % ((uint64_t)align * FRAME) || cell + cells > limit || cell + cells > CELLS) {
            continue;
        }
        unsigned i = cell;
        while (i < cell + cells && kind_at[i] == LARDER_RANGE_USABLE) {
            i++;
        }
        if (i == cell + cells) {
            return cell;
        }
    }
    return CELLS;
}

static void apply_take(const struct op *op) {
    unsigned count = 1 + op->a % 6, align = 1u << op->b % 4;
    unsigned limit = op->c % 2 ? CELLS : op->c / 2 % CELLS;
    enum larder_range_kind kind = op->c & 4 ? LARDER_RANGE_RESERVED : LARDER_RANGE_DONATED;
    unsigned char before[CELLS];
    memcpy(before, kind_at, sizeof before);
    unsigned cell = reference_take(count, align, limit);
    uint64_t address =
        larder_ranges_take(&table, count * FRAME, align * FRAME, base + limit * CELL_BYTES, kind);
    if (cell != CELLS) {
        memset(kind_at + cell, kind, count * FRAME / CELL_BYTES);
        if (cells_in_runs() > LARDER_RANGES_MAX) {
            memcpy(kind_at, before, sizeof before);
            cell = CELLS;
        }
    }
    sim_check(address == (cell == CELLS ? LARDER_ADDRESS_NONE : base + cell * CELL_BYTES));
}

static void apply_find(const struct op *op) {
    unsigned cell = op->a % CELLS;
    const struct larder_range *range =
        larder_ranges_find(&table, base + cell * CELL_BYTES + op->b % CELL_BYTES);
    sim_check((range ? (unsigned)range->kind : 0) == kind_at[cell]);
    uint64_t bytes = 0;
    for (unsigned i = 0; i < CELLS; i++) {
        bytes += kind_at[i] == 1 + op->c % 4 ? CELL_BYTES : 0;
    }
    sim_check(larder_ranges_bytes(&table, (enum larder_range_kind)(1 + op->c % 4)) == bytes);
}

static void apply_assign(const struct op *op) {
    unsigned char before[CELLS];
    unsigned first = op->a % CELLS, count = 1 + op->b % 8, kind = 1 + op->c % 4;
    count = count > CELLS - first ? CELLS - first : count;
    memcpy(before, kind_at, sizeof before);
    uint64_t address = base + first * CELL_BYTES;
    uint64_t end = address + count * CELL_BYTES;
    bool all = true;
    for (unsigned i = first; i < first + count; i++) {
        all = all && (kind_at[i] == kind);
    }
    sim_check(range_is_all(&table, address, end, 1u << kind) == all);
    memset(kind_at + first, (int)kind, count);
    bool fits = cells_in_runs() <= LARDER_RANGES_MAX;
    sim_check(range_assign(&table, address, end, (enum larder_range_kind)kind) ==
              (fits ? LARDER_OK : LARDER_TOO_MANY));
    if (!fits) {
        memcpy(kind_at, before, sizeof before);
    }
}

static void apply(const struct op *op) {
    static void (*const kinds[])(const struct op *) = {apply_add, apply_add, apply_take, apply_find,
                                                       apply_assign};
    kinds[op->kind](op);
    expect_same();
}

static void print(char *text, size_t bytes, const struct op *op) {
    static const char *const names[] = {"add", "add", "take", "find", "assign"};
    snprintf(text, bytes, "%s a=%u b=%u c=%u", names[op->kind], op->a, op->b, op->c);
}

static void ranges_agree_with_a_byte_per_cell(void **state) {
    (void)state;
    const struct model model = {"ranges", 5, start, apply, expect_same, abandon, print};
    model_run(&model, 600000, 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_agree_with_a_byte_per_cell),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
