/* console.c: one UART between the kernel's programs and a person.
 *
 * Output is sent byte by byte under a lock, so lines of different CPUs do not mix. Before a UART
 * is open it is kept in a small buffer and sent then. Input comes by interrupt into a ring; the
 * reader lends its CPU to processes, or sleeps, until there is something.
 * Locks: console_lock, innermost, taken with interrupts off. The ring has one writer (the interrupt
 * handler, on CPU 0) and one reader.
 */
#include "console.h"

#include "cpu.h"
#include "irq.h"
#include "kernel.h"
#include "lock.h"
#include "scheduler.h"

#define RING_BYTES 256u
#define EARLY_BYTES 2048u
#define SEND_TRIES 1000000u /* a UART that never gets rid of a byte is not there: go on without */

static const struct uart *console_uart;
static uintptr_t console_base;
static struct ticket_lock console_lock;
static atomic_bool console_unlocked; /* a panic: no waiting */

static char early[EARLY_BYTES]; /* guarded by console_lock, as is early_bytes */
static size_t early_bytes;

static unsigned char ring[RING_BYTES];
static _Atomic uint32_t ring_put; /* written by the interrupt handler, release */
static _Atomic uint32_t ring_get; /* written by the reader, release */

static void send(char byte) {
    for (unsigned tries = 0; tries < SEND_TRIES; tries++)
        if (console_uart->send(console_base, byte))
            return;
}

static void put(char byte) {
    if (console_uart == NULL) {
        if (early_bytes < EARLY_BYTES)
            early[early_bytes++] = byte;
        return;
    }
    if (byte == '\n')
        send('\r');
    send(byte);
}

void console_write(const char *text, size_t length) {
    uintptr_t state = irq_save();
    bool locked = !atomic_load_explicit(&console_unlocked, memory_order_relaxed);

    if (locked)
        ticket_lock_acquire(&console_lock);
    for (size_t i = 0; i < length; i++)
        put(text[i]);
    if (locked)
        ticket_lock_release(&console_lock);
    irq_restore(state);
}

void console_release_locks(void) {
    atomic_store_explicit(&console_unlocked, true, memory_order_relaxed);
}

void console_open(const struct uart *uart, uintptr_t base, uint64_t clock_hz) {
    uart->init(base, clock_hz);
    console_base = base;
    console_uart = uart;
    console_write(early, early_bytes);
    early_bytes = 0;
}

/* Bytes that find the ring full are lost, as in any UART. */
static void console_interrupt(void) {
    uint32_t at = atomic_load_explicit(&ring_put, memory_order_relaxed);
    int byte;

    while ((byte = console_uart->receive(console_base)) >= 0) {
        if (at - atomic_load_explicit(&ring_get, memory_order_acquire) == RING_BYTES)
            continue;
        ring[at++ % RING_BYTES] = (unsigned char)byte;
        atomic_store_explicit(&ring_put, at, memory_order_release);
    }
}

void console_listen(unsigned irq) {
    console_uart->interrupt_on(console_base);
    irq_register(irq, console_interrupt);
}

int console_poll(void) {
    uint32_t at = atomic_load_explicit(&ring_get, memory_order_relaxed);
    int byte;

    if (at == atomic_load_explicit(&ring_put, memory_order_acquire))
        return -1;
    byte = ring[at % RING_BYTES];
    atomic_store_explicit(&ring_get, at + 1, memory_order_release);
    return byte;
}

/* Interrupts are masked between the look and the sleep, so a byte that comes between is not slept
 * over: a pending interrupt ends the sleep also while masked. */
int console_read(void) {
    for (;;) {
        uintptr_t state = irq_save();
        int byte = console_poll();

        if (byte < 0)
            scheduler_lend();
        irq_restore(state);
        if (byte >= 0)
            return byte;
        larder_tick(kernel_larder);
    }
}

const char *console_name(void) {
    return console_uart != NULL ? console_uart->name : "none";
}
