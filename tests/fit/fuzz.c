/* For libFuzzer: bytes are a layout and steps of the model; after them, if the first byte says so,
 * the rest of the input is written over the regions, and the checker and the walk must still end
 * without leaving them. */
#include "fixture.h"
#include "model.h"

#include <stdlib.h>

#define HELD 24u

struct input {
    const uint8_t *bytes;
    size_t count;
};

static void run_model(void *context) {
    static struct model_step steps[512];
    const struct input *input = context;
    size_t count = 0, at = 0;
    uint64_t layout = 0;
    memcpy(&layout, input->bytes + 1, 4);
    for (size_t i = 5; i + 6 <= input->count && count < 512; i += 6) {
        memcpy(&steps[count].call, input->bytes + i, 1);
        memcpy(&steps[count].slot, input->bytes + i + 1, 1);
        memcpy(&steps[count].a, input->bytes + i + 2, 2);
        memcpy(&steps[count].b, input->bytes + i + 4, 2);
        count++;
    }
    model_run((enum larder_fit_policy)(input->bytes[0] % LARDER_FIT_POLICY_COUNT), layout, steps,
              count, &at);
}

static bool visit(void *context, const struct larder_fit_block *block) {
    size_t *count = context;
    EXPECT((unsigned char *)block->pointer >= region.first && block->bytes < FIXTURE_BYTES);
    return ++*count < FIXTURE_BYTES;
}

/* One call of each kind; `which` says with which memory and size. */
static void use(void *const held[HELD], unsigned call, unsigned which) {
    void *one = held[which % HELD];
    if (call == 0) {
        larder_fit_free(&heap, one);
    } else if (call == 1) {
        (void)larder_fit_alloc(&heap, 1 + which * 3);
    } else if (call == 2) {
        (void)larder_fit_aligned(&heap, (size_t)16 << which % 4, 1 + which);
    } else if (call == 3) {
        (void)larder_fit_realloc(&heap, one, 1 + which * 5);
    } else if (call == 4) {
        (void)larder_fit_try_resize(&heap, one, 1 + which);
    } else {
        (void)larder_fit_reserve(&heap, fixture_memory + which * 32, 8);
    }
}

static void try_to_use(void *const held[HELD], unsigned call, unsigned which) {
    tap_catching = true;
    if (setjmp(tap_mistake_jump) == 0) {
        use(held, call, which);
    }
    tap_catching = false;
}

static void overwrite(const struct input *input) {
    for (size_t i = 1; i + 4 <= input->count; i += 4) {
        size_t at =
            ((size_t)input->bytes[i] << 5 | (input->bytes[i + 1] & 31u)) % (FIXTURE_BYTES - 8);
        memcpy(fixture_memory + (at & ~(size_t)7), input->bytes + i + 2, 2);
    }
}

/* Overwrite words at places the input names, with values near what was there. Everything must end
 * and stay in the region. The calls that change something run on what is left after that. */
static void run_damage(void *context) {
    const struct input *input = context;
    struct larder_fit_diagnosis figures;
    void *held[HELD];
    size_t count = 0;
    fixture_make((enum larder_fit_policy)(input->bytes[0] % LARDER_FIT_POLICY_COUNT));
    for (size_t i = 0; i < HELD; i++) {
        held[i] = larder_fit_alloc(&heap, 1 + input->bytes[i % input->count]);
    }
    for (size_t i = 0; i < HELD; i += 2 + i % 3) {
        larder_fit_free(&heap, held[i]);
    }
    overwrite(input);
    (void)larder_fit_check(&heap, NULL);
    (void)larder_fit_walk(&heap, visit, &count);
    larder_fit_diagnose(&heap, &figures);
    for (size_t i = 0; i < HELD; i++) {
        (void)larder_fit_size_of(&heap, held[i]);
    }
    try_to_use(held, input->bytes[1] % 6u, input->bytes[2]);
    for (unsigned i = 0; i < HELD; i++) {
        try_to_use(held, 0, i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    struct input input = {bytes, count};
    if (count < 6) {
        return 0;
    }
    if (!tap_try(bytes[0] & 0x80 ? run_damage : run_model, &input)) {
        fprintf(stderr, "%s\n", tap_last_failure());
        abort();
    }
    return 0;
}
