/* stack_protector.c: libfdt is compiled with the stack protector; this is its other half. */
#include "kernel.h"

extern uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

uintptr_t __stack_chk_guard = 0x1a7de700c0ffee00ul;

_Noreturn void __stack_chk_fail(void) {
    panic("stack overrun in the device tree library");
}
