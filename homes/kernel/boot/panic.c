/* panic.c: see panic.h. */
#include "panic.h"

#include "console.h"
#include "cpu.h"
#include "exception.h"
#include "kernel.h"

#define PANIC_NOBODY UINT32_MAX

static _Atomic uint32_t panic_cpu = PANIC_NOBODY;

void panic_enter(void) {
    uint32_t nobody = PANIC_NOBODY;

    irq_save();
    if (!atomic_compare_exchange_strong(&panic_cpu, &nobody, cpu_self()))
        cpu_halt();
    console_release_locks();
    cpu_stop_others();
}

_Noreturn void panic_leave(void) {
    printf("*** stopped\n");
    machine_exit(1);
}

_Noreturn void panic(const char *format, ...) {
    va_list arguments;

    panic_enter();
    printf("\n*** panic on CPU %u: ", cpu_self());
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    stack_trace((uint64_t)__builtin_frame_address(0));
    panic_leave();
}

static void write_to_console(void *context, const char *text, size_t length) {
    (void)context;
    console_write(text, length);
}

static void print_site(const char *what, uintptr_t site) {
    size_t offset = 0;
    const char *name = symbol_find(site, &offset);

    if (site != 0 && name != NULL)
        printf("%s%s+%#zx\n", what, name, offset);
}

_Noreturn void panic_larder(const struct larder_fatal *fatal) {
    const struct larder_sink console = {.write = write_to_console, .context = NULL};

    panic_enter();
    printf("\n*** larder, on CPU %u:\n", cpu_self());
    larder_fatal_write(fatal, &console);
    print_site("allocated at ", fatal->alloc_site);
    print_site("freed at ", fatal->free_site);
    stack_trace((uint64_t)__builtin_frame_address(0));
    panic_leave();
}
