/* io.h: device registers: single accesses of their width, in program order. */
#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t io_read(uintptr_t address) {
    return *(volatile uint32_t *)address;
}

static inline void io_write(uintptr_t address, uint32_t value) {
    *(volatile uint32_t *)address = value;
}

/* Read a register and see whether anything answers. In vectors.S. */
bool io_probe(uintptr_t address);

#endif
