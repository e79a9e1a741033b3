/* smp.c: see smp.h. CPU 0 starts the others one after another and waits for each: the one slot
 * `secondary` is enough, and a CPU that never comes costs ten seconds and a log line. Less is not
 * enough: an emulator on a busy machine may not run a CPU for seconds, and one that comes after the
 * next was started finds that one's stack. */
#include "smp.h"

#include "barrier.h"
#include "boot.h"
#include "cache.h"
#include "event.h"
#include "firmware.h"
#include "irq.h"
#include "kernel.h"
#include "mmu.h"
#include "timer.h"

#define ARRIVAL_US 10000000u

/* On lines of its own: it is cleaned and invalidated as a whole. */
struct secondary secondary __attribute__((aligned(128)));

/* The word may lie in memory that is not RAM for us, so it gets a mapping of its own. */
static void release_spin_table(uint64_t release_address) {
    volatile uint64_t *word = mmu_map_window(release_address, sizeof *word, MAP_UNCACHED);

    *word = mmu_address(secondary_entry);
    event_send();
}

static void release_parked(uint64_t mpidr) {
    park_release = mpidr;
    cache_clean(&park_release, sizeof park_release);
    event_send();
}

static enum cpu_start start_of(const struct machine_cpu *from) {
    if (boot_info.entry_level == 3)
        return CPU_START_PARKED;
    if (from->start == START_PSCI && machine.psci != PSCI_NONE)
        return CPU_START_PSCI;
    return CPU_START_SPIN_TABLE;
}

static void release(const struct machine_cpu *from, enum cpu_start start) {
    if (start == CPU_START_PARKED)
        release_parked(from->mpidr);
    else if (start == CPU_START_PSCI)
        psci_call(PSCI_CPU_ON, from->mpidr, mmu_address(secondary_entry), 0);
    else if (from->release_address != 0)
        release_spin_table(from->release_address);
}

static bool has_arrived(const struct cpu *cpu) {
    uint64_t start = clock_us();

    while (!atomic_load_explicit(&cpu->online, memory_order_acquire))
        if (clock_us() - start > ARRIVAL_US)
            return false;
    return true;
}

static bool start_cpu(unsigned index, const struct machine_cpu *from) {
    struct cpu *cpu = &cpus[index];

    cpu->index = index;
    cpu->mpidr = from->mpidr;
    cpu->start = start_of(from);
    if (cpu->stack_low == 0) {
        cpu->stack_low = stack_alloc();
        cpu->exception_low = stack_alloc();
    }
    secondary = (struct secondary){
        .mpidr = from->mpidr,
        .stack_top = cpu->stack_low + STACK_BYTES,
        .exception_top = cpu->exception_low + STACK_BYTES,
        .cpu = (uint64_t)cpu,
    };
    cache_clean(&secondary, sizeof secondary);
    release(from, cpu->start);
    return has_arrived(cpu);
}

bool smp_start(unsigned limit) {
    bool all_came = true;
    unsigned count = 1;

    mmu_share();
    cache_clean(&boot_info, sizeof boot_info);
    for (unsigned i = 0; i < machine.cpu_count && count < limit; i++) {
        if (machine.cpu[i].mpidr == cpus[0].mpidr)
            continue;
        if (start_cpu(count, &machine.cpu[i])) {
            count++;
        } else {
            log_line(LOG_WARNING, "CPU with affinity %#lx does not come", machine.cpu[i].mpidr);
            all_came = false;
        }
    }
    secondary.mpidr = UINT64_MAX; /* who comes late parks */
    cache_clean(&secondary, sizeof secondary);
    log_line(LOG_INFO, "%u of %u CPUs online", count, machine.cpu_count);
    return all_came;
}

_Noreturn void secondary_start(struct cpu *cpu, uint64_t entry_level) {
    cpu->entry_level = (unsigned)entry_level;
    cpu_setup(cpu);
    mmu_retire_identity();
    struct larder_slot *slot = larder_slot_attach(kernel_larder, cpu->index);
    if (slot == NULL)
        panic("no memory for the slot of CPU %u", cpu->index);
    cpu_set_slot(slot);
    irq_cpu_init();
    timer_start();
    log_line(LOG_DEBUG, "CPU %u is up, entered at EL%u", cpu->index, cpu->entry_level);
    atomic_store_explicit(&cpu->online, true, memory_order_release);
    serror_enable();
    irq_enable();
    cpu_idle();
}
