/* oom.c: see oom.h.
 *
 * Only a fault comes here: it has no other way to say that there is no memory. System calls return
 * an error, and the kernel itself never needs a process to end. What a dying process needs (its
 * stack, the tables it walks) it has already, so it always gets to give its memory back.
 */
#include "oom.h"

#include "cpu.h"
#include "kernel.h"
#include "lock.h"
#include "process.h"
#include "scheduler.h"
#include "space.h"

#define WAIT_US 2000u
#define PATIENCE 3u /* tries */

struct verdict {
    uint32_t pid; /* 0: one is ending already */
    uint64_t resident;
    char name[PROGRAM_NAME_BYTES];
};

/* The largest by what it can reach; on a tie the youngest. */
static struct process *find_largest(bool *one_is_ending) {
    struct process *largest = NULL;
    uint64_t most = 0;

    *one_is_ending = false;
    LIST_EACH(link, &process_all) {
        struct process *process = LIST_ENTRY(link, struct process, all);
        uint64_t resident;

        if (process->state == PROCESS_ENDED || process->state == PROCESS_NEW)
            continue;
        if (process_is_doomed(process) || process->space == NULL) {
            *one_is_ending = true;
            continue;
        }
        resident = atomic_load_explicit(&process->space->resident, memory_order_relaxed);
        if (largest == NULL || resident >= most) {
            most = resident;
            largest = process;
        }
    }
    return largest;
}

static struct verdict judge(void) {
    struct verdict verdict = {.pid = 0};
    uintptr_t state = irq_save();
    bool one_is_ending;
    struct process *largest;

    ticket_lock_acquire(&process_lock);
    largest = find_largest(&one_is_ending);
    if (!one_is_ending && largest != NULL) {
        verdict.pid = largest->pid;
        verdict.resident = atomic_load_explicit(&largest->space->resident, memory_order_relaxed);
        memcpy(verdict.name, largest->name, sizeof verdict.name);
        process_doom(largest, DEATH_MEMORY);
    }
    ticket_lock_release(&process_lock);
    irq_restore(state);
    scheduler_wake_cpu();
    return verdict;
}

void oom_relieve(struct process *process, unsigned tries) {
    struct verdict verdict = {.pid = 0};

    if (!process_is_doomed(process) && tries >= PATIENCE)
        verdict = judge();
    if (verdict.pid != 0)
        log_line(LOG_WARNING, "memory ran out: process %u (%s) ends, it holds %lu KiB", verdict.pid,
                 verdict.name, verdict.resident * (PAGE_BYTES >> 10));
    if (process_is_doomed(process))
        process_end(atomic_load(&process->doom));
    scheduler_sleep(WAIT_US);
}
