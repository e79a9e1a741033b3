/* sbrk.c: the memory newlib's heap grows into, between two symbols of the linker script. */
#include <errno.h>
#include <stddef.h>

extern unsigned char mcu_heap_start[], mcu_heap_end[];

void *_sbrk(ptrdiff_t bytes);

void *_sbrk(ptrdiff_t bytes) {
    static unsigned char *now = mcu_heap_start;
    if (bytes > mcu_heap_end - now || bytes < mcu_heap_start - now) {
        errno = ENOMEM;
        return (void *)-1;
    }
    unsigned char *before = now;
    now += bytes;
    return before;
}
