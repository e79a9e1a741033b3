/* main.c: the order of start-up.
 *
 *   entry.S        exception level, .bss, first tables, MMU on, first stack
 *   kernel_start   per-CPU data, clock, what machine is it, console, memory, larder
 *   kernel_main    on a stack from larder: interrupts, ticks, the other CPUs, what processes need;
 *                  then start-up memory goes to the buddies, and the kernel's program runs
 */
#include "boot.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "kernel.h"
#include "memory.h"
#include "mmu.h"
#include "process.h"
#include "smp.h"
#include "timer.h"

#include "larder/frames.h"

void kernel_start(void);
void stack_switch(uintptr_t top, uintptr_t exception_top, void (*go_on)(void));

static void log_machine(void) {
    log_line(LOG_INFO, "larder on %s, entered at EL%lu", machine_name(), boot_info.entry_level);
    log_line(LOG_INFO, "image at %#lx, %lu KiB; console %s; memory from the %s",
             boot_info.image_address, (uint64_t)(image_end - image_start) >> 10, console_name(),
             machine.source);
    if (machine.command_line[0] != '\0')
        log_line(LOG_INFO, "command line: %s", machine.command_line);
    if (machine.memory_limit != 0)
        log_line(LOG_INFO, "mem=: using the first %lu MiB", machine.memory_limit >> 20);
    if (machine.reserved_dynamic != 0)
        log_line(LOG_WARNING, "%u reserved regions without an address: left to us, so not reserved",
                 machine.reserved_dynamic);
}

static void log_memory(void) {
    static const char *const kinds[] = {"", "usable", "start-up", "reserved", "device"};
    struct larder_frames_stats stats;

    for (unsigned i = 0; i < memory_table.count; i++) {
        const struct larder_range *range = &memory_table.range[i];

        log_line(LOG_INFO, "  0x%012lx .. 0x%012lx  %8lu KiB  %s", range->address,
                 range->address + range->size_bytes - 1, range->size_bytes >> 10,
                 kinds[range->kind]);
    }
    larder_frames_stats(kernel_larder, &stats);
    log_line(LOG_INFO, "%lu MiB of RAM, %lu frames for the buddies, map %lu KiB",
             machine.memory_bytes >> 20, stats.usable, stats.map_bytes >> 10);
}

static void start_interrupts(void) {
    const struct irq_controller *controller =
        machine.irq.kind == IRQ_KIND_BCM2836 ? &bcm2836_irq : &gic_v2;

    if (!irq_init(controller, machine.irq.address))
        panic("no interrupt controller at %#lx", machine.irq.address[0]);
    irq_cpu_init();
    timer_start();
    if (machine.console.irq != MACHINE_IRQ_NONE)
        console_listen(machine.console.irq);
    serror_enable();
    irq_enable();
    log_line(LOG_INFO, "%s, timer %lu kHz, %u ticks a second", controller->name, timer_hz() / 1000,
             CONFIG_TICK_HZ);
}

static unsigned cpu_limit(void) {
    const char *text = machine_bootarg("maxcpus");
    unsigned long limit = text != NULL ? strtoul(text, NULL, 10) : 0;

    return limit == 0 || limit > CONFIG_CPU_MAX ? CONFIG_CPU_MAX : (unsigned)limit;
}

static void run_program(void) {
    const char *test = machine_bootarg("larder.test");

    if (test != NULL)
        machine_exit(kerneltest_run(test[0] != '\0' ? test : "all") ? 0 : 1);
    if (machine_bootarg("larder.run") != NULL)
        machine_exit(program_run(machine_bootarg("larder.run")));
    if (machine_bootarg("larder.demo") != NULL)
        machine_exit(demonstration_run() ? 0 : 1);
    shell_run();
}

static void kernel_main(void) {
    bool all_came;

    start_interrupts();
    all_came = smp_start(cpu_limit());
    mmu_retire_identity();
    processes_setup();
    if (all_came)
        memory_donate();
    run_program();
}

void kernel_start(void) {
    struct cpu *cpu = &cpus[0];

    cpu->start = CPU_START_BOOT;
    cpu->entry_level = (unsigned)boot_info.entry_level;
    cpu_setup(cpu);
    mmu_setup();
    timer_setup();
    machine_detect();
    log_machine();
    memory_start();
    log_memory();
    cpu->stack_low = stack_alloc();
    cpu->exception_low = stack_alloc();
    atomic_store(&cpu->online, true);
    stack_switch(cpu->stack_low + STACK_BYTES, cpu->exception_low + STACK_BYTES, kernel_main);
}
