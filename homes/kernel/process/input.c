/* input.c: see input.h. The ring is guarded by process_lock: finding it empty and going to wait
 * for it are one step. */
#include "input.h"

#include "cpu.h"
#include "lock.h"
#include "process.h"
#include "scheduler.h"

#define RING_BYTES 256u

static unsigned char ring[RING_BYTES];
static unsigned first, used;
static unsigned ends;

static void wake_readers(void) {
    LIST_EACH(link, &process_all) {
        struct process *process = LIST_ENTRY(link, struct process, all);

        if (process->state == PROCESS_READING)
            scheduler_make_ready(process);
    }
}

void input_put(unsigned char byte) {
    uintptr_t state = irq_save();

    ticket_lock_acquire(&process_lock);
    if (used < RING_BYTES)
        ring[(first + used++) % RING_BYTES] = byte;
    wake_readers();
    ticket_lock_release(&process_lock);
    irq_restore(state);
    scheduler_wake_cpu();
}

void input_end(void) {
    uintptr_t state = irq_save();

    ticket_lock_acquire(&process_lock);
    ends++;
    wake_readers();
    ticket_lock_release(&process_lock);
    irq_restore(state);
    scheduler_wake_cpu();
}

void input_clear(void) {
    uintptr_t state = irq_save();

    ticket_lock_acquire(&process_lock);
    used = ends = 0;
    ticket_lock_release(&process_lock);
    irq_restore(state);
}

static size_t take(unsigned char *buffer, size_t bytes) {
    size_t taken = 0;

    for (; taken < bytes && used > 0; used--) {
        buffer[taken++] = ring[first];
        first = (first + 1) % RING_BYTES;
    }
    return taken;
}

size_t input_read(struct process *process, unsigned char *buffer, size_t bytes) {
    for (;;) {
        uintptr_t state = irq_save();
        size_t taken;
        bool waits;

        ticket_lock_acquire(&process_lock);
        taken = take(buffer, bytes);
        waits = taken == 0 && ends == 0 && !process_is_doomed(process);
        if (taken == 0 && !waits && ends > 0)
            ends--;
        if (waits)
            process->state = PROCESS_READING;
        ticket_lock_release(&process_lock);
        if (waits)
            scheduler_leave();
        irq_restore(state);
        if (!waits)
            return taken;
    }
}
