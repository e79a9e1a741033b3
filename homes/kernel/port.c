/* port.c: what larder asks of the kernel, beside the address space (arch/arm64/metadata.c) and the
 * functions of the fast path (larder_port_home.h). */
#include "boot.h"
#include "cpu.h"
#include "kernel.h"
#include "layout.h"
#include "panic.h"

#include "larder/port.h"

#define EMPTY_WAIT_US 10000u

size_t larder_port_page_bytes(void) {
    return PAGE_BYTES;
}

/* Frames below us are RAM and stay RAM. */
bool larder_port_purge(void *pointer, size_t size_bytes) {
    (void)pointer;
    (void)size_bytes;
    return false;
}

/* A Cortex-A72 has no random number instruction: the device tree's seed and the counter, mixed by
 * splitmix64 (Steele, Lea, Flood 2014). Good against accidents, not against an adversary. */
uint64_t larder_port_entropy(void) {
    static _Atomic uint64_t state;
    uint64_t counter, z;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(counter));
    z = atomic_fetch_add_explicit(&state, 0x9e3779b97f4a7c15ul, memory_order_relaxed);
    z += machine.entropy ^ counter;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}

uint64_t larder_port_clock_ms(void) {
    return clock_us() / 1000;
}

_Noreturn void larder_port_fatal(const struct larder_fatal *fatal) {
    panic_larder(fatal);
}

static bool is_asked(unsigned cpu) {
    uint32_t requests = atomic_load_explicit(&cpus[cpu].requests, memory_order_acquire);

    return (requests & CPU_REQUEST_EMPTY_SLOT) != 0;
}

/* Waiting needs interrupts on: with them off, the other CPU may be waiting for us. */
void larder_port_empty_slots(struct larder *larder) {
    uint64_t start = clock_us();

    (void)larder;
    for (unsigned i = 0; i < cpu_count(); i++)
        if (i != cpu_self())
            cpu_request(i, CPU_REQUEST_EMPTY_SLOT);
    for (unsigned i = 0; i < cpu_count() && irq_is_enabled(); i++)
        while (i != cpu_self() && is_asked(i) && clock_us() - start < EMPTY_WAIT_US)
            larder_port_relax();
}
