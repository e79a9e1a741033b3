/* console.h: which UART is the console, and the lines between it and the kernel's programs. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

/* A UART. `base` is the pointer to its registers. */
struct uart {
    const char *name;
    void (*init)(uintptr_t base, uint64_t clock_hz); /* 0: leave the speed as the firmware set it */
    bool (*send)(uintptr_t base, char byte);         /* false: its queue is full */
    int (*receive)(uintptr_t base);                  /* -1: nothing came */
    void (*interrupt_on)(uintptr_t base);            /* from now on it says when something comes */
};

extern const struct uart uart_pl011;
extern const struct uart uart_mini;

/* From here on text goes out. */
void console_open(const struct uart *uart, uintptr_t base, uint64_t clock_hz);

/* From here on bytes come in by interrupt. */
void console_listen(unsigned irq);

/* For a panic: write at once, whoever holds the lock. */
void console_release_locks(void);

const char *console_name(void);

#endif
