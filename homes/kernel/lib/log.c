/* log.c: the log: lines with their time and CPU, kept in a ring for the prompt, and printed.
 *
 * Lock: log_lock guards the ring and makes its times ascend. It is innermost, taken with interrupts
 * off; printing comes after it, so a line of another CPU may be printed in between.
 */
#include "cpu.h"
#include "irq.h"
#include "kernel.h"
#include "lock.h"
#include "log_ring.h"

#define LINE_BYTES 200u

static struct log_ring ring;
static struct ticket_lock log_lock;

static const char *const prefixes[] = {
    [LOG_ERROR] = "error: ", [LOG_WARNING] = "warning: ", [LOG_INFO] = "", [LOG_DEBUG] = "debug: "};

const char *log_level_prefix(unsigned level) {
    return level <= LOG_DEBUG ? prefixes[level] : "";
}

static uint64_t keep(enum log_level level, const char *text) {
    uintptr_t state = irq_save();
    uint64_t us;

    ticket_lock_acquire(&log_lock);
    us = clock_us();
    log_ring_put(&ring, us, cpu_self(), level, text);
    ticket_lock_release(&log_lock);
    irq_restore(state);
    return us;
}

void log_line(enum log_level level, const char *format, ...) {
    char text[LINE_BYTES];
    va_list arguments;
    uint64_t us;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    us = keep(level, text);
    if (level < LOG_DEBUG)
        printf("[%4lu.%06lu] %s%s\n", us / 1000000, us % 1000000, log_level_prefix(level), text);
}

bool log_read(uint64_t *number, struct log_entry *entry) {
    uintptr_t state = irq_save();
    bool is_there;

    ticket_lock_acquire(&log_lock);
    if (*number < log_ring_oldest(&ring))
        *number = log_ring_oldest(&ring);
    is_there = log_ring_get(&ring, *number, entry);
    ticket_lock_release(&log_lock);
    irq_restore(state);
    *number += is_there;
    return is_there;
}
