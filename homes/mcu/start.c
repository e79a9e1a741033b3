/* start.c: from reset to main() on a Cortex-M3 or M4. The processor loads the stack pointer and the
 * first instruction from the vector table; memory is then what the linker script says. A fault ends
 * the program with a status, so that a test on the emulator never hangs. */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t mcu_stack_top[], mcu_data_load[], mcu_data_start[], mcu_data_end[];
extern uint32_t mcu_bss_start[], mcu_bss_end[];

int main(void);
void initialise_monitor_handles(void); /* newlib: files through the debugger */
void mcu_reset(void);
void mcu_fault(void);
void _init(void);
void _fini(void);

void mcu_reset(void) {
    uint32_t *from = mcu_data_load;
    for (uint32_t *to = mcu_data_start; to < mcu_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = mcu_bss_start; to < mcu_bss_end; to++) {
        *to = 0;
    }
    initialise_monitor_handles();
    exit(main());
}

void mcu_fault(void) {
    _Exit(99);
}

/* newlib calls both around main(); nothing is to be done. */
void _init(void) {
}

void _fini(void) {
}

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    (vector)(uintptr_t)mcu_stack_top,
    mcu_reset,
    mcu_fault,
    mcu_fault,
    mcu_fault,
    mcu_fault,
    mcu_fault};
