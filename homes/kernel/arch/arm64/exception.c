/* exception.c: what an exception was, in words; the register dump; the stack trace.
 *
 * An access that may fault (exception_fixup) goes on at its label; a fault in the metadata window
 * may be somebody else's commit in progress; everything else ends the run.
 */
#include "exception.h"

#include "boot.h"
#include "cpu.h"
#include "kernel.h"
#include "mmu.h"
#include "panic.h"

#define CLASS(esr) (((esr) >> 26) & 0x3f)
#define CLASS_INSTRUCTION_ABORT 0x21u
#define CLASS_DATA_ABORT 0x25u
#define DATA_ABORT_WRITE 0x40u
#define FAULT_STATUS 0x3fu
#define FAULT_TRANSLATION 0x04u
#define TRACE_DEPTH_MAX 24

static const char *class_name(uint64_t esr) {
    switch (CLASS(esr)) {
    case 0x00:
        return "undefined instruction";
    case 0x07:
        return "vector registers are off";
    case 0x0e:
        return "illegal execution state";
    case 0x15:
        return "system call";
    case CLASS_INSTRUCTION_ABORT:
        return "instruction abort";
    case 0x22:
        return "misaligned program counter";
    case CLASS_DATA_ABORT:
        return "data abort";
    case 0x26:
        return "misaligned stack pointer";
    case 0x2f:
        return "SError: a write that a device refused";
    case 0x3c:
        return "brk instruction";
    default:
        return "exception of an unexpected class";
    }
}

static const char *fault_name(uint64_t esr) {
    switch (esr & FAULT_STATUS & ~3ul) {
    case 0x00:
        return "address size fault";
    case FAULT_TRANSLATION:
        return "nothing is mapped there";
    case 0x08:
        return "access flag fault";
    case 0x0c:
        return "not permitted by the mapping";
    case 0x10:
        return "the bus reported an error";
    case 0x20:
        return "misaligned access";
    default:
        return "other fault";
    }
}

static void print_address(const char *before, uint64_t address) {
    size_t offset = 0;
    const char *name = symbol_find(address, &offset);

    if (name != NULL)
        printf("%s%016lx  %s+%#zx\n", before, address, name, offset);
    else
        printf("%s%016lx\n", before, address);
}

/* A frame record is two words on a stack: the caller's record and the return address. Nothing is
 * believed: it must be aligned, readable, and lead to higher addresses or to another stack once. */
void stack_trace(uint64_t frame_pointer) {
    printf("call trace:\n");
    for (int depth = 0; depth < TRACE_DEPTH_MAX; depth++) {
        const uint64_t *record = (const uint64_t *)frame_pointer;

        if (frame_pointer % 16 != 0 || !mmu_is_readable(frame_pointer) || record[1] == 0)
            return;
        print_address("  ", record[1]);
        frame_pointer = record[0];
    }
}

static void print_registers(const struct exception_frame *frame) {
    print_address("pc   ", frame->elr);
    print_address("lr   ", frame->x[30]);
    printf("sp   %016lx  pstate %08lx  esr %08lx  far %016lx\n", frame->sp, frame->spsr, frame->esr,
           frame->far);
    for (int i = 0; i < 30; i += 3)
        printf("x%-2d  %016lx  x%-2d  %016lx  x%-2d  %016lx\n", i, frame->x[i], i + 1,
               frame->x[i + 1], i + 2, frame->x[i + 2]);
}

static void print_where(const struct exception_frame *frame) {
    const struct cpu *cpu = cpu_this();

    if (CLASS(frame->esr) == CLASS_DATA_ABORT || CLASS(frame->esr) == CLASS_INSTRUCTION_ABORT)
        printf("address %016lx, %s: %s\n", frame->far,
               CLASS(frame->esr) == CLASS_INSTRUCTION_ABORT ? "executing"
               : frame->esr & DATA_ABORT_WRITE              ? "writing"
                                                            : "reading",
               fault_name(frame->esr));
    if (cpu->stack_low - frame->far <= PAGE_BYTES)
        printf("the program stack of this CPU is full\n");
}

static _Noreturn void report(struct exception_frame *frame, const char *what) {
    panic_enter();
    printf("\n*** %s on CPU %u%s\n", what, cpu_self(),
           cpu_this()->interrupt_depth != 0 ? ", in an interrupt handler" : "");
    print_where(frame);
    print_registers(frame);
    stack_trace((uint64_t)frame->record);
    panic_leave();
}

/* True iff the access may fault; execution goes on at its label. */
static bool fix_up(struct exception_frame *frame) {
    uint64_t at = CLASS(frame->esr) == CLASS_INSTRUCTION_ABORT ? frame->x[30] : frame->elr;

    for (const struct exception_fixup *fixup = exception_fixups; fixup < exception_fixups_end;
         fixup++) {
        if (fixup->at == at) {
            frame->elr = fixup->resume;
            return true;
        }
    }
    return false;
}

/* The only kind that passes: an entry that is being replaced. Writing where it is not permitted
 * would be tried again for ever. */
static bool is_translation_fault(uint64_t esr) {
    return (esr & FAULT_STATUS & ~3ul) == FAULT_TRANSLATION;
}

void exception_sync(struct exception_frame *frame) {
    if (fix_up(frame))
        return;
    if (CLASS(frame->esr) == CLASS_DATA_ABORT && is_translation_fault(frame->esr) &&
        exception_is_spurious(frame->far))
        return;
    report(frame, class_name(frame->esr));
}

static const char *const vector_names[] = {
    "synchronous exception",
    "interrupt",
    "fast interrupt",
    "SError",
};

void exception_unexpected(struct exception_frame *frame) {
    report(frame, vector_names[frame->vector % 4]);
}
