/* trap.c: a process has come into the kernel: why, what is done about it, and how it leaves.
 *
 * Here meet vectors.S, which has put its registers into the frame, and the parts that serve it. A
 * process that did what it may not ends alone, with a line in the log.
 */
#include "cpu.h"
#include "exception.h"
#include "irq.h"
#include "kernel.h"
#include "oom.h"
#include "process.h"
#include "scheduler.h"
#include "space.h"
#include "syscall.h"

#define CLASS(esr) (((esr) >> 26) & 0x3f)
#define CLASS_SYSTEM_CALL 0x15u
#define CLASS_INSTRUCTION_ABORT 0x20u
#define CLASS_DATA_ABORT 0x24u
#define ABORT_WRITE (1u << 6)
#define ABORT_CACHE (1u << 8) /* by cache maintenance, which needs reading only */
#define ABORT_STATUS 0x3cu    /* without the level */
#define STATUS_TRANSLATION 0x04u
#define STATUS_ACCESS 0x08u
#define STATUS_PERMISSION 0x0cu

/* ---- Ends ------------------------------------------------------------------------------------ */

/* On the console if nobody else will be told. */
static _Noreturn void end_with(struct process *process, enum death how, const char *what,
                               uint64_t address) {
    log_line(process->parent == NULL ? LOG_WARNING : LOG_DEBUG,
             "process %u (%s) ends: %s %#lx, at %#lx", process->pid, process->name, what, address,
             process->frame->elr);
    process_end(how);
}

static const char *fault_text(enum space_fault fault, unsigned access) {
    if (fault == SPACE_FAULT_GUARD)
        return "its stack is full at";
    if (fault == SPACE_FAULT_FORBIDDEN)
        return access == REGION_WRITE     ? "it may not write"
               : access == REGION_EXECUTE ? "it may not execute"
                                          : "it may not read";
    return access == REGION_WRITE     ? "it wrote where nothing is,"
           : access == REGION_EXECUTE ? "it jumped where nothing is,"
                                      : "it read where nothing is,";
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static bool can_be_mended(uint64_t esr) {
    unsigned status = esr & ABORT_STATUS;

    return status == STATUS_TRANSLATION || status == STATUS_ACCESS || status == STATUS_PERMISSION;
}

static unsigned access_of(uint64_t esr) {
    if (CLASS(esr) == CLASS_INSTRUCTION_ABORT)
        return REGION_EXECUTE;
    return (esr & (ABORT_WRITE | ABORT_CACHE)) == ABORT_WRITE ? REGION_WRITE : REGION_READ;
}

/* Until it is mended, or the process has ended; when memory is short, somebody ends for it. */
static void take_fault(struct process *process, uint64_t esr, uint64_t address) {
    unsigned access = access_of(esr);
    enum space_fault fault;
    unsigned tries = 0;

    process->faults++;
    if (!can_be_mended(esr))
        end_with(process, DEATH_FAULT, "a misaligned or failed access to", address);
    while ((fault = space_fault(process->space, address, access)) == SPACE_FAULT_NO_MEMORY)
        oom_relieve(process, tries++);
    if (fault != SPACE_FAULT_MENDED)
        end_with(process, DEATH_FAULT, fault_text(fault, access), address);
}

static void serve(struct process *process, struct exception_frame *frame) {
    switch (CLASS(frame->esr)) {
    case CLASS_SYSTEM_CALL:
        process->syscalls++;
        syscall(process, frame);
        break;
    case CLASS_INSTRUCTION_ABORT:
    case CLASS_DATA_ABORT:
        take_fault(process, frame->esr, frame->far);
        break;
    default:
        end_with(process, DEATH_ILLEGAL, "an instruction it may not execute, syndrome", frame->esr);
    }
}

/* ---- In and out ------------------------------------------------------------------------------ */

/* Interrupts are masked, here and until the process is outside. */
static void leave_kernel(void) {
    struct process *process = process_current();

    for (;;) {
        struct cpu *cpu = cpu_this_now();

        if (process_is_doomed(process)) {
            irq_enable();
            process_end(atomic_load(&process->doom));
        }
        if (!cpu->turn_over && !scheduler_is_frozen() &&
            atomic_load_explicit(&cpu->call, memory_order_relaxed) == NULL)
            return;
        scheduler_yield();
    }
}

void process_exception(struct exception_frame *frame) {
    irq_enable();
    serve(process_current(), frame);
    irq_save();
    leave_kernel();
}

void process_interrupt(struct exception_frame *frame) {
    (void)frame;
    irq_dispatch();
    leave_kernel();
}

void process_first(struct exception_frame *frame) {
    (void)frame;
    leave_kernel();
}
