/* test_fatal.c: mistakes, one in each test, each the last thing its machine does. Whoever boots
 * larder.test=fatal-… compares the report on the UART and the exit code (tests/kernel). */
#include "kerneltest.h"

#include "larder/cache.h"
#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/port.h"
#include "larder/stats.h"

#include "arch/arm64/mmu.h"
#include "boot/boot.h"

#define NOINLINE __attribute__((noinline))

/* The compiler must not see that a pointer was freed, or is none. */
static void *hide(void *pointer) {
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
}

/* After a call that must be in the stack trace: otherwise it may become a jump, and the function
 * that made the mistake is gone from the stack. */
static inline void stay(void) {
    __asm__ volatile("");
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static void double_free_frames(void) {
    void *block = hide(larder_frames_alloc(kernel_larder, 6, 0));
    larder_frames_free(kernel_larder, block);
    larder_frames_free(kernel_larder, block);
    stay();
}

static void interior_free(void) {
    uint8_t *block = hide(larder_frames_alloc(kernel_larder, 6, 0));
    larder_frames_free(kernel_larder, block + LARDER_FRAME_BYTES);
    stay();
}

static void reserved_free(void) {
    larder_frames_free(kernel_larder, mmu_pointer(mmu_address(text_start)));
    stay();
}

static void foreign_free(void) {
    larder_free(kernel_larder, hide(text_start));
    stay();
}

static void wrong_order(void) {
    void *block = hide(larder_frames_alloc(kernel_larder, 6, 0));
    larder_frames_free_order(kernel_larder, block, 5);
    stay();
}

static void no_memory(void) {
    (void)larder_frames_alloc_exact(kernel_larder, (uint64_t)1 << LARDER_ORDER_MAX, LARDER_PANIC);
    (void)larder_frames_alloc_exact(kernel_larder, (uint64_t)1 << LARDER_ORDER_MAX, LARDER_PANIC);
    for (;;)
        (void)larder_frames_alloc(kernel_larder, 18, LARDER_PANIC);
}

/* ---- Objects --------------------------------------------------------------------------------- */

static struct larder_cache *cache_with(const char *name, const char *debug) {
    struct larder_cache_config config = {.name = name, .size_bytes = 72};
    (void)larder_debug_parse(kernel_larder, debug);
    return larder_cache_create(kernel_larder, &config, NULL);
}

static void double_free_object(void) {
    struct larder_cache *cache = cache_with("test-inode", "F");
    void *object = hide(larder_cache_alloc(cache, 0));
    larder_cache_free(cache, object);
    larder_cache_free(cache, object);
    stay();
}

/* Without debugging it is recognised when the magazine is emptied. */
static void double_free_late(void) {
    struct larder_cache *cache = cache_with("test-inode", "");
    void *object = hide(larder_cache_alloc(cache, 0));
    larder_cache_free(cache, object);
    larder_cache_free(cache, object);
    (void)larder_cache_shrink(cache);
    stay();
}

static void interior_object(void) {
    struct larder_cache *cache = cache_with("test-inode", "F");
    uint8_t *object = hide(larder_cache_alloc(cache, 0));
    larder_cache_free(cache, object + 8);
    stay();
}

static void wrong_cache(void) {
    struct larder_cache *one = cache_with("test-inode", "F");
    struct larder_cache *other = cache_with("test-dentry", "F");
    larder_cache_free(other, hide(larder_cache_alloc(one, 0)));
    stay();
}

static void red_zone(void) {
    struct larder_cache *cache = cache_with("test-inode", "FZU");
    uint8_t *object = hide(larder_cache_alloc(cache, 0));
    object[72] = 0x41;
    larder_cache_free(cache, object);
    stay();
}

static void poison(void) {
    struct larder_cache *cache = cache_with("test-inode", "FPU");
    uint8_t *object = hide(larder_cache_alloc(cache, 0));
    larder_cache_free(cache, object);
    object[5] = 0x42;
    for (unsigned i = 0; i < 10000; i++)
        (void)larder_cache_alloc(cache, 0);
}

static void destroyed(void) {
    struct larder_cache *cache = cache_with("test-inode", "");
    (void)larder_cache_destroy(cache, NULL, NULL);
    (void)larder_cache_destroy(cache, NULL, NULL);
    stay();
    stay();
}

/* ---- On another CPU, in an interrupt ----------------------------------------------------------
 */

static void on_other_cpu(void *arg) {
    larder_frames_free(kernel_larder, arg);
    stay();
}

static void other_cpu(void) {
    void *block = hide(larder_frames_alloc(kernel_larder, 6, 0));
    larder_frames_free(kernel_larder, block);
    cpu_call(cpu_count() - 1, on_other_cpu, block);
    cpu_call_wait(cpu_count() - 1);
}

static void *tick_block;

static void on_tick(void) {
    larder_frames_free(kernel_larder, tick_block);
    stay();
}

static void in_interrupt(void) {
    tick_block = hide(larder_frames_alloc(kernel_larder, 6, 0));
    tick_hook_set(on_tick);
    for (;;)
        cpu_wait_for_interrupt();
}

/* ---- Exceptions: a register dump and a stack trace --------------------------------------------
 */

static volatile unsigned result;

static NOINLINE void trace_inner(const volatile unsigned *pointer) {
    result = *pointer;
    stay();
}

static NOINLINE void trace_middle(const volatile unsigned *pointer) {
    trace_inner(pointer);
    stay();
}

static NOINLINE void trace_outer(const volatile unsigned *pointer) {
    trace_middle(pointer);
    stay();
}

static void null_read(void) {
    trace_outer(hide((void *)0x18));
    stay();
}

static void null_call(void) {
    void (*function)(void) = (void (*)(void))hide(NULL);
    function();
    stay();
}

static void write_text(void) {
    *(volatile unsigned char *)hide(text_start) = 0;
}

/* Metadata that nobody committed reads as zero; writing it is a mistake. */
static void write_uncommitted(void) {
    volatile unsigned char *window = larder_port_reserve(LARDER_FRAME_BYTES, LARDER_FRAME_BYTES);
    *window = 1;
}

static void undefined_instruction(void) {
    __asm__ volatile(".inst 0");
}

static volatile unsigned recursion_limit = UINT32_MAX;

/* 256 bytes a call: the guard page below the stack is met long before the limit. */
static NOINLINE unsigned recurse(unsigned depth) {
    volatile unsigned here[64];
    here[depth % 64] = depth;
    return depth == recursion_limit ? 0 : recurse(depth + 1) + here[depth % 64];
}

static void stack_overflow(void) {
    (void)recurse(0);
}

static void panics(void) {
    panic("asked for by the test, %d", 42);
}

const struct kerneltest fatal_tests[] = {
    {"fatal-double-free", double_free_frames},
    {"fatal-interior-free", interior_free},
    {"fatal-reserved-free", reserved_free},
    {"fatal-foreign-free", foreign_free},
    {"fatal-wrong-order", wrong_order},
    {"fatal-no-memory", no_memory},
    {"fatal-double-free-object", double_free_object},
    {"fatal-double-free-late", double_free_late},
    {"fatal-interior-object", interior_object},
    {"fatal-wrong-cache", wrong_cache},
    {"fatal-red-zone", red_zone},
    {"fatal-poison", poison},
    {"fatal-destroyed", destroyed},
    {"fatal-other-cpu", other_cpu},
    {"fatal-in-interrupt", in_interrupt},
    {"fatal-null-read", null_read},
    {"fatal-null-call", null_call},
    {"fatal-write-text", write_text},
    {"fatal-write-uncommitted", write_uncommitted},
    {"fatal-undefined", undefined_instruction},
    {"fatal-stack-overflow", stack_overflow},
    {"fatal-panic", panics},
    {NULL, NULL},
};
