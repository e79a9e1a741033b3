/* Geometry of every stride, and slots against a naive array. */
#include "harness.h"

#include "slab.h"

static struct slab_geometry geometry;
static struct slab slab;
static unsigned char *base; /* never touched: slabs do not look at their memory */

static int setup(void **state) {
    (void)state;
    base = (unsigned char *)(uintptr_t)(64 * GIB);
    return 0;
}

static void check_geometry(size_t object_bytes, size_t stride_bytes, size_t offset_bytes) {
    slab_geometry_init(&geometry, object_bytes, stride_bytes, offset_bytes);
    size_t block_bytes = FRAME * geometry.frames;
    assert_int_equal(geometry.stride_bytes, stride_bytes);
    assert_int_equal(geometry.object_bytes, object_bytes);
    assert_int_equal(geometry.offset_bytes, offset_bytes);
    assert_in_range(geometry.slots, 1, SLAB_SLOTS_MAX);
    assert_true((size_t)geometry.slots * stride_bytes <= block_bytes);
    assert_int_equal(geometry.first_slot, 0);
}

static void every_stride_has_a_geometry_that_fits(void **state) {
    (void)state;
    for (size_t stride = 8; stride <= 4096; stride += 8) {
        check_geometry(stride, stride, 0);
    }
    for (size_t stride = 4096; stride <= MIB + 64 * KIB; stride += 4096 - 16) {
        check_geometry(stride, stride, 0);
    }
    check_geometry(1, 8, 0);
    check_geometry(MIB, MIB, 0);
    check_geometry(MIB, 2 * MIB, MIB / 2);
}

static void little_is_wasted_behind_the_last_slot(void **state) {
    (void)state;
    for (size_t stride = 8; stride <= MIB; stride += stride < 4096 ? 8 : 1000 * 8) {
        slab_geometry_init(&geometry, stride, stride, 0);
        size_t block_bytes = FRAME * geometry.frames;
        size_t used_bytes = (size_t)geometry.slots * stride;
        assert_true(block_bytes - used_bytes <= block_bytes / 8);
    }
}

/* A frame has more of them than a slab has bits. Break: ask them for little waste too. */
static void the_tiniest_take_one_frame(void **state) {
    (void)state;
    for (size_t stride = 1; stride <= 8; stride++) {
        slab_geometry_init(&geometry, stride, stride, 0);
        assert_int_equal(geometry.frames, 1);
        assert_int_equal(geometry.slots, SLAB_SLOTS_MAX);
    }
}

static void a_descriptor_is_small_beside_its_slab(void **state) {
    (void)state;
    for (size_t stride = 8; stride <= MIB; stride *= 2) {
        slab_geometry_init(&geometry, stride, stride, 0);
        assert_true((size_t)geometry.slots * stride >= 4096);
        assert_true(sizeof(struct slab) * 32 <= FRAME * geometry.frames);
    }
}

/* Every byte of the block is the start of the object that the reference says, or of none. */
static void check_slots(size_t stride, size_t offset, unsigned first_slot) {
    slab_geometry_init(&geometry, stride - offset, stride, offset);
    geometry.first_slot = first_slot;
    slab_init(&slab, &geometry, base);
    size_t block_bytes = FRAME * geometry.frames;
    size_t step = block_bytes > 64 * KIB ? 509 : 1;
    for (size_t at = 0; at < block_bytes; at += step) {
        size_t slot = at >= offset ? (at - offset) / stride : SLAB_SLOTS_MAX;
        bool is_start = at >= offset && (at - offset) % stride == 0 && slot < geometry.slots &&
                        slot >= first_slot;
        assert_int_equal(slab_slot_of(&slab, &geometry, base + at),
                         is_start ? slot : SLAB_SLOTS_MAX);
    }
    for (unsigned slot = first_slot; slot < geometry.slots; slot++) {
        unsigned char *object = slab_object(&slab, &geometry, slot);
        assert_ptr_equal(object, base + slot * stride + offset);
        assert_int_equal(slab_slot_of(&slab, &geometry, object), slot);
        assert_int_equal(slab_slot_of(&slab, &geometry, object + 1), SLAB_SLOTS_MAX);
    }
}

static void slot_of_knows_every_byte(void **state) {
    (void)state;
    const size_t strides[] = {8,    16,    24,    48,    56,     80,     96,      112,  128,  144,
                              192,  320,   576,   1000,  1024,   1144,   2048,    3072, 4096, 4104,
                              9000, 32768, 40960, 65536, 100008, 524288, MIB - 8, MIB};
    for (size_t i = 0; i < COUNT(strides); i++) {
        check_slots(strides[i], 0, 0);
        check_slots(strides[i], 0, 1);
        if (strides[i] >= 48) {
            check_slots(strides[i], 16, 0);
        }
    }
}

static void expect_conserved(void) {
    unsigned bits = 0;
    for (unsigned i = 0; i < SLAB_WORDS; i++) {
        bits += count_bits(slab.free_bits[i]);
    }
    assert_int_equal(bits, slab.count_free);
}

static void a_new_slab_is_wholly_free(void **state) {
    (void)state;
    for (size_t stride = 8; stride <= MIB; stride = (stride * 3 / 2 + 7) & ~(size_t)7) {
        for (unsigned first = 0; first < 2; first++) {
            slab_geometry_init(&geometry, stride, stride, 0);
            geometry.first_slot = first;
            memset(&slab, 0xff, sizeof slab);
            slab_init(&slab, &geometry, base);
            expect_conserved();
            assert_int_equal(slab.count_free, geometry.slots - first);
            assert_int_equal(slab_usable_slots(&geometry), geometry.slots - first);
            assert_true(slab_is_empty(&slab, &geometry));
            assert_int_equal(slab_is_free(&slab, 0), first == 0);
        }
    }
}

static void objects_come_in_address_order_and_once(void **state) {
    (void)state;
    void *out[SLAB_SLOTS_MAX + 1];
    slab_geometry_init(&geometry, 64, 64, 0);
    slab_init(&slab, &geometry, base);
    unsigned slots = geometry.slots;
    assert_int_equal(slab_take(&slab, &geometry, 0, out), 0);
    assert_int_equal(slab_take(&slab, &geometry, 3, out), 3);
    assert_int_equal(slab_take(&slab, &geometry, SLAB_SLOTS_MAX + 1, out + 3), slots - 3);
    for (unsigned i = 0; i < slots; i++) {
        assert_ptr_equal(out[i], base + i * 64);
    }
    assert_int_equal(slab_take(&slab, &geometry, 1, out), 0);
    assert_int_equal(slab.count_free, 0);
    assert_false(slab_is_empty(&slab, &geometry));
    expect_conserved();
}

static void random_histories(void **state) {
    (void)state;
    struct random random = {harness_seed()};
    bool taken[SLAB_SLOTS_MAX] = {false};
    void *out[SLAB_SLOTS_MAX];
    slab_geometry_init(&geometry, 48, 48, 0);
    slab_init(&slab, &geometry, base);
    unsigned live = 0;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned slot = (unsigned)random_below(&random, geometry.slots);
        assert_int_equal(slab_is_free(&slab, slot), !taken[slot]);
        if (taken[slot]) {
            slab_give(&slab, slot);
            taken[slot] = false;
            live--;
        } else {
            unsigned wanted = (unsigned)random_below(&random, 20);
            unsigned got = slab_take(&slab, &geometry, wanted, out);
            assert_int_equal(got, wanted < geometry.slots - live ? wanted : geometry.slots - live);
            for (unsigned i = 0; i < got; i++) {
                unsigned which = slab_slot_of(&slab, &geometry, out[i]);
                assert_false(taken[which]);
                taken[which] = true;
            }
            live += got;
        }
        assert_int_equal(slab.count_free, geometry.slots - live);
        assert_int_equal(slab_is_empty(&slab, &geometry), live == 0);
    }
    expect_conserved();
}

#if LARDER_ASSERTIONS
static void giving_twice_is_an_assertion(void **state) {
    (void)state;
    void *object;
    slab_geometry_init(&geometry, 64, 64, 0);
    slab_init(&slab, &geometry, base);
    slab_take(&slab, &geometry, 1, &object);
    slab_give(&slab, 0);
    sim_expect_fatal(LARDER_FATAL_ASSERTION, slab_give(&slab, 0));
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_stride_has_a_geometry_that_fits, setup),
        cmocka_unit_test_setup(little_is_wasted_behind_the_last_slot, setup),
        cmocka_unit_test_setup(the_tiniest_take_one_frame, setup),
        cmocka_unit_test_setup(a_descriptor_is_small_beside_its_slab, setup),
        cmocka_unit_test_setup(slot_of_knows_every_byte, setup),
        cmocka_unit_test_setup(a_new_slab_is_wholly_free, setup),
        cmocka_unit_test_setup(objects_come_in_address_order_and_once, setup),
        cmocka_unit_test_setup(random_histories, setup),
#if LARDER_ASSERTIONS
        cmocka_unit_test_setup(giving_twice_is_an_assertion, setup),
#endif
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
