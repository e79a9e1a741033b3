/* syscall.c: see syscall.h. A function for each call; arguments are numbers from outside and not
 * believed; memory of the process is reached by user_copy.h only. */
#include "syscall.h"

#include "exception.h"
#include "input.h"
#include "kernel.h"
#include "process.h"
#include "scheduler.h"
#include "user_copy.h"

#include "larder/frames.h"

#define PIECE_BYTES 128u
#define SYSCALL_REGISTER 8u

typedef int64_t (*call)(struct process *process, const uint64_t *argument);

/* ---- The console ----------------------------------------------------------------------------- */

static int64_t call_write(struct process *process, const uint64_t *argument) {
    char piece[PIECE_BYTES];
    uint64_t done = 0;

    while (done < argument[1]) {
        uint64_t bytes = argument[1] - done < sizeof piece ? argument[1] - done : sizeof piece;
        int64_t status = user_copy_in(process->space, piece, argument[0] + done, bytes);

        if (status != 0)
            return done > 0 ? (int64_t)done : status;
        if (!process->quiet)
            console_write(piece, bytes);
        done += bytes;
        if (process_is_doomed(process))
            break;
    }
    return (int64_t)done;
}

static int64_t call_read(struct process *process, const uint64_t *argument) {
    unsigned char piece[PIECE_BYTES];
    size_t bytes = argument[1] < sizeof piece ? argument[1] : sizeof piece;
    int64_t status;

    if (bytes == 0)
        return 0;
    status = user_make_writable(process->space, argument[0], bytes); /* before input is lost */
    if (status != 0)
        return status;
    bytes = input_read(process, piece, bytes);
    status = user_copy_out(process->space, argument[0], piece, bytes);
    return status == 0 ? (int64_t)bytes : status;
}

/* ---- Processes ------------------------------------------------------------------------------- */

static int64_t call_exit(struct process *process, const uint64_t *argument) {
    (void)process;
    process_end((int32_t)(argument[0] & 0xff));
}

static int64_t call_getpid(struct process *process, const uint64_t *argument) {
    (void)argument;
    return process->pid;
}

static int64_t call_yield(struct process *process, const uint64_t *argument) {
    (void)process, (void)argument;
    scheduler_yield();
    return 0;
}

static int64_t call_sleep(struct process *process, const uint64_t *argument) {
    (void)process;
    scheduler_sleep(argument[0]);
    return 0;
}

static int64_t call_fork(struct process *process, const uint64_t *argument) {
    (void)argument;
    return process_fork(process);
}

/* The texts of the arguments, one behind the other. */
struct texts {
    char bytes[ARGUMENT_BYTES_MAX];
    const char *text[ARGUMENTS_MAX];
    unsigned count;
};

static int64_t copy_arguments(struct space *space, uint64_t array, struct texts *texts) {
    size_t used = 0;

    for (texts->count = 0;; texts->count++) {
        uint64_t pointer;
        int64_t status =
            user_copy_in(space, &pointer, array + texts->count * sizeof pointer, sizeof pointer);

        if (status != 0 || pointer == 0)
            return status;
        if (texts->count == ARGUMENTS_MAX)
            return -ERROR_TOO_LONG;
        texts->text[texts->count] = texts->bytes + used;
        status = user_copy_text(space, texts->bytes + used, pointer, sizeof texts->bytes - used);
        if (status < 0)
            return status;
        used += (size_t)status + 1;
    }
}

/* The result is the new program's first argument register. */
static int64_t call_exec(struct process *process, const uint64_t *argument) {
    char name[PROGRAM_NAME_BYTES];
    struct texts texts;
    int64_t status = user_copy_text(process->space, name, argument[0], sizeof name);

    if (status == -ERROR_TOO_LONG)
        return -ERROR_NOT_FOUND;
    if (status >= 0)
        status = copy_arguments(process->space, argument[1], &texts);
    if (status == 0)
        status = process_exec(process, name, texts.count, texts.text);
    return status == 0 ? (int64_t)process->frame->x[0] : status;
}

static int64_t call_wait(struct process *process, const uint64_t *argument) {
    int32_t how;
    int64_t pid, status;

    if (argument[0] > UINT32_MAX)
        return -ERROR_NO_CHILD;
    if (argument[1] != 0) { /* before a child is collected in vain */
        status = user_make_writable(process->space, argument[1], sizeof how);
        if (status != 0)
            return status;
    }
    pid = process_wait((uint32_t)argument[0], &how);
    if (pid < 0 || argument[1] == 0)
        return pid;
    status = user_copy_out(process->space, argument[1], &how, sizeof how);
    return status == 0 ? pid : status;
}

static int64_t call_kill(struct process *process, const uint64_t *argument) {
    (void)process;
    if (argument[0] > UINT32_MAX || !process_kill((uint32_t)argument[0], DEATH_KILLED))
        return -ERROR_NO_PROCESS;
    return 0;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static int64_t call_brk(struct process *process, const uint64_t *argument) {
    return (int64_t)space_set_heap_end(process->space, argument[0]);
}

static unsigned protection_of(uint64_t argument) {
    return argument < UINT32_MAX ? (unsigned)argument : UINT32_MAX;
}

static int64_t call_mmap(struct process *process, const uint64_t *argument) {
    return space_map(process->space, argument[0], argument[1], protection_of(argument[2]));
}

static int64_t call_munmap(struct process *process, const uint64_t *argument) {
    return space_unmap(process->space, argument[0], argument[1]);
}

static int64_t call_mprotect(struct process *process, const uint64_t *argument) {
    return space_protect(process->space, argument[0], argument[1], protection_of(argument[2]));
}

static int64_t call_purge(struct process *process, const uint64_t *argument) {
    return space_purge(process->space, argument[0], argument[1]);
}

static int64_t call_meminfo(struct process *process, const uint64_t *argument) {
    const struct space *space = process->space;
    struct larder_frames_stats stats;
    struct meminfo info;

    larder_frames_stats(kernel_larder, &stats);
    info = (struct meminfo){
        .total_bytes = stats.usable * PAGE_BYTES,
        .free_bytes = (stats.free + stats.in_bins) * PAGE_BYTES,
        .resident_bytes = atomic_load(&space->resident) * PAGE_BYTES,
        .peak_bytes = space->resident_peak * PAGE_BYTES,
        .reserved_bytes = space->reserved_bytes,
        .limit_bytes = space->limit_bytes,
        .table_bytes = space->table.tables * PAGE_BYTES,
        .object_bytes = process_object_bytes(process),
        .block_count = space->blocks,
    };
    return user_copy_out(process->space, argument[0], &info, sizeof info);
}

/* ---- Which ----------------------------------------------------------------------------------- */

static const call calls[SYSCALL_COUNT] = {
    [SYSCALL_EXIT] = call_exit,     [SYSCALL_WRITE] = call_write,
    [SYSCALL_READ] = call_read,     [SYSCALL_GETPID] = call_getpid,
    [SYSCALL_YIELD] = call_yield,   [SYSCALL_SLEEP] = call_sleep,
    [SYSCALL_FORK] = call_fork,     [SYSCALL_EXEC] = call_exec,
    [SYSCALL_WAIT] = call_wait,     [SYSCALL_KILL] = call_kill,
    [SYSCALL_BRK] = call_brk,       [SYSCALL_MMAP] = call_mmap,
    [SYSCALL_MUNMAP] = call_munmap, [SYSCALL_MPROTECT] = call_mprotect,
    [SYSCALL_PURGE] = call_purge,   [SYSCALL_MEMINFO] = call_meminfo,
};

void syscall(struct process *process, struct exception_frame *frame) {
    uint64_t number = frame->x[SYSCALL_REGISTER];

    frame->x[0] = number < SYSCALL_COUNT ? (uint64_t)calls[number](process, frame->x)
                                         : (uint64_t)-ERROR_NO_CALL;
}
