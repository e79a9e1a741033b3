/* process.c: see process.h: life and family of processes. */
#include "process.h"

#include "cpu.h"
#include "elf.h"
#include "exception.h"
#include "kernel.h"
#include "lock.h"
#include "objects.h"
#include "scheduler.h"
#include "space.h"
#include "user_copy.h"
#include "user_frame.h"

#include "larder/frames.h"

#define CHILD(at) LIST_ENTRY(at, struct process, sibling)
#define MEMBER(at) LIST_ENTRY(at, struct process, all)

struct list process_all = {&process_all, &process_all};

static uint32_t next_pid = 1; /* guarded by process_lock, as are the following */
static unsigned count;
static uint64_t ended;

void processes_setup(void) {
    objects_setup();
    user_frames_setup();
}

struct process *process_current(void) {
    uintptr_t state = irq_save();
    struct process *process = cpu_this_now()->process;

    irq_restore(state);
    return process;
}

static uintptr_t lock(void) {
    uintptr_t state = irq_save();

    ticket_lock_acquire(&process_lock);
    return state;
}

static void unlock(uintptr_t state) {
    ticket_lock_release(&process_lock);
    irq_restore(state);
}

/* ---- Making ---------------------------------------------------------------------------------- */

void process_entry(void);

/* The first thing its kernel program does is to leave the kernel by its frame. */
static void prepare_stack(struct process *process) {
    process->frame = (void *)(process->stack + KERNEL_STACK_BYTES - sizeof(struct exception_frame));
    process->context = (struct context){
        .go_on = (uint64_t)process_entry,
        .stack = (uint64_t)process->frame,
        .frame_pointer = (uint64_t)process->frame->record,
    };
}

/* With a stack, without an address space. NULL iff there is no memory. */
static struct process *allocate(void) {
    struct process *process = object_take(OBJECT_PROCESS);

    if (process == NULL)
        return NULL;
    memset(process, 0, sizeof *process);
    process->stack = object_take(OBJECT_STACK);
    if (process->stack == NULL) {
        object_give(OBJECT_PROCESS, process);
        return NULL;
    }
    prepare_stack(process);
    list_init(&process->children);
    list_link_init(&process->queue);
    list_link_init(&process->sibling);
    return process;
}

static void release(struct process *process) {
    object_give(OBJECT_STACK, process->stack);
    object_give(OBJECT_PROCESS, process);
}

static uint32_t take_pid(void) {
    uintptr_t state = lock();
    uint32_t pid = next_pid++;

    unlock(state);
    return pid;
}

/* Everybody can find it from now on. By pid, though numbers were given out before. */
static void enter_lists(struct process *process, struct process *parent) {
    struct list *next = &process_all;

    while (next->prev != &process_all && MEMBER(next->prev)->pid > process->pid)
        next = next->prev;
    list_insert_between(&process->all, next->prev, next);
    count++;
    process->parent = parent;
    if (parent != NULL)
        list_push_back(&parent->children, &process->sibling);
}

static void leave_lists(struct process *process) {
    list_unlink(&process->all);
    count--;
    if (process->parent != NULL)
        list_unlink(&process->sibling);
}

static uint64_t all_memory(void) {
    struct larder_frames_stats stats;

    larder_frames_stats(kernel_larder, &stats);
    return stats.usable * LARDER_FRAME_BYTES;
}

struct process *process_create(const char *name, unsigned argument_count,
                               const char *const *arguments, uint64_t limit_bytes,
                               int64_t *status) {
    struct process *process = allocate();
    uintptr_t state;

    *status = -ERROR_NO_MEMORY;
    if (process == NULL)
        return NULL;
    process->pid = take_pid();
    process->space = space_create(process->pid, limit_bytes != 0 ? limit_bytes : all_memory());
    if (process->space == NULL)
        goto release_process;
    *status = process_exec(process, name, argument_count, arguments);
    if (*status != 0)
        goto destroy_space;
    state = lock();
    enter_lists(process, NULL);
    unlock(state);
    return process;
destroy_space:
    space_destroy(process->space);
release_process:
    release(process);
    return NULL;
}

void process_start(struct process *process, bool awaited) {
    uintptr_t state = lock();

    process->awaited = awaited;
    scheduler_make_ready(process);
    unlock(state);
    scheduler_wake_cpu();
}

/* ---- Fork ------------------------------------------------------------------------------------ */

int64_t process_fork(struct process *parent) {
    struct process *process = allocate();
    uint32_t pid;
    uintptr_t state;

    if (process == NULL)
        return -ERROR_NO_MEMORY;
    pid = process->pid = take_pid();
    process->space = space_fork(parent->space, process->pid);
    if (process->space == NULL) {
        release(process);
        return -ERROR_NO_MEMORY;
    }
    *process->frame = *parent->frame;
    process->frame->x[0] = 0;
    memcpy(process->name, parent->name, sizeof process->name);
    process->quiet = parent->quiet;
    state = lock();
    enter_lists(process, parent);
    scheduler_make_ready(process);
    unlock(state);
    scheduler_wake_cpu();
    return pid;
}

/* ---- Exec ------------------------------------------------------------------------------------ */

struct stack_builder {
    struct space *space;
    uint64_t at; /* everything from here on is written */
    uint64_t argv[ARGUMENTS_MAX + 1];
};

static int64_t push(struct stack_builder *stack, const void *bytes, size_t size) {
    stack->at -= size;
    return user_copy_out(stack->space, stack->at, bytes, size);
}

/* The texts, then the pointers to them, ended by NULL, at 16 bytes. */
static int64_t push_arguments(struct stack_builder *stack, unsigned argument_count,
                              const char *const *arguments) {
    int64_t status = 0;

    for (unsigned i = 0; status == 0 && i < argument_count; i++) {
        status = push(stack, arguments[i], strlen(arguments[i]) + 1);
        stack->argv[i] = stack->at;
    }
    if (status != 0)
        return status;
    stack->argv[argument_count] = 0;
    stack->at &= ~15ul;
    if (argument_count % 2 == 0)
        stack->at -= sizeof(uint64_t);
    return push(stack, stack->argv, (argument_count + 1) * sizeof(uint64_t));
}

static bool arguments_fit(unsigned argument_count, const char *const *arguments) {
    size_t bytes = 0;

    if (argument_count > ARGUMENTS_MAX)
        return false;
    for (unsigned i = 0; i < argument_count; i++)
        bytes += strlen(arguments[i]) + 1;
    return bytes <= ARGUMENT_BYTES_MAX;
}

/* On success *space is the new one, not entered yet, and *stack and *entry say where to begin. */
static int64_t build(struct stack_builder *stack, const struct program *program,
                     unsigned argument_count, const char *const *arguments, uint64_t *entry) {
    int64_t status = elf_load(stack->space, program->file, program->bytes, entry);

    return status == 0 ? push_arguments(stack, argument_count, arguments) : status;
}

/* The old address space goes when nothing leads to it any more. */
static void become(struct process *process, const struct program *program, struct space *space) {
    struct space *old = process->space;
    uintptr_t state = lock();

    process->space = space;
    memcpy(process->name, program->name, strnlen(program->name, sizeof process->name - 1) + 1);
    if (process_current() == process)
        space_enter(space);
    unlock(state);
    space_destroy(old);
}

int64_t process_exec(struct process *process, const char *name, unsigned argument_count,
                     const char *const *arguments) {
    const struct program *program = program_find(name);
    struct stack_builder stack = {.at = STACK_END};
    uint64_t entry = 0;
    int64_t status;

    if (program == NULL)
        return -ERROR_NOT_FOUND;
    if (!arguments_fit(argument_count, arguments))
        return -ERROR_TOO_LONG;
    stack.space = space_create(process->pid, process->space->limit_bytes);
    if (stack.space == NULL)
        return -ERROR_NO_MEMORY;
    status = build(&stack, program, argument_count, arguments, &entry);
    if (status != 0) {
        space_destroy(stack.space);
        return status;
    }
    become(process, program, stack.space);
    memset(process->frame, 0, sizeof *process->frame);
    process->frame->x[0] = argument_count;
    process->frame->x[1] = process->frame->sp = stack.at;
    process->frame->elr = entry;
    return 0;
}

/* ---- Ending ---------------------------------------------------------------------------------- */

static bool can_collect(const struct process *process) {
    return process->state == PROCESS_ENDED && !process->on_cpu;
}

/* The children have no parent any more. Those that can be collected go to `gone`; the others go
 * when they have ended. */
static void disown_children(struct process *process, struct list *gone) {
    LIST_EACH(link, &process->children) {
        struct process *child = CHILD(link);

        if (can_collect(child)) {
            leave_lists(child);
            child->parent = NULL;
            list_push_back(gone, &child->queue);
        } else {
            list_unlink(link);
            child->parent = NULL;
        }
    }
}

static void give_all(struct list *gone) {
    struct list *link;

    while ((link = list_pop_front(gone)) != NULL)
        object_give(OBJECT_PROCESS, LIST_ENTRY(link, struct process, queue));
}

_Noreturn void process_end(int32_t status) {
    struct process *process = process_current();
    struct space *space = process->space;
    struct list gone;
    uintptr_t state;

    scheduler_await_end();
    list_init(&gone);
    state = lock();
    process->space = NULL;
    space_enter(NULL);
    disown_children(process, &gone);
    unlock(state);
    give_all(&gone);
    space_destroy(space);
    state = lock();
    process->status = status;
    process->state = PROCESS_ENDED;
    ticket_lock_release(&process_lock);
    scheduler_leave();
    panic("process %u goes on after its end", process->pid);
}

/* Tell whoever waits; nobody: it is gone. */
void process_bury(struct process *process) {
    uintptr_t state;
    bool nobody;

    object_give(OBJECT_STACK, process->stack);
    state = lock();
    process->on_cpu = false;
    ended++;
    nobody = process->parent == NULL && !process->awaited;
    if (nobody)
        leave_lists(process);
    else if (process->parent != NULL && process->parent->state == PROCESS_WAITING)
        scheduler_make_ready(process->parent);
    unlock(state);
    if (nobody)
        object_give(OBJECT_PROCESS, process);
    scheduler_tell_end();
}

void process_discard(struct process *process) {
    uintptr_t state = lock();

    leave_lists(process);
    unlock(state);
    space_destroy(process->space);
    release(process);
}

/* ---- Killing --------------------------------------------------------------------------------- */

/* One that runs outside the kernel on another CPU is made to come in. */
void process_doom(struct process *process, enum death how) {
    int32_t none = 0;

    atomic_compare_exchange_strong(&process->doom, &none, how);
    switch (process->state) {
    case PROCESS_SLEEPING:
    case PROCESS_WAITING:
    case PROCESS_READING:
        scheduler_make_ready(process);
        break;
    case PROCESS_RUNNING:
        cpu_request(process->cpu, CPU_REQUEST_WAKE);
        break;
    default:
        break;
    }
}

bool process_is_doomed(const struct process *process) {
    return atomic_load(&process->doom) != 0;
}

static bool is_alive(const struct process *process) {
    return process->state != PROCESS_ENDED && process->state != PROCESS_NEW;
}

/* NULL: of all. */
static bool descends_from(const struct process *process, const struct process *ancestor) {
    while (process != NULL && process != ancestor)
        process = process->parent;
    return process == ancestor;
}

bool process_kill(uint32_t pid, enum death how) {
    uintptr_t state = lock();
    bool found = false;

    LIST_EACH(link, &process_all)
    if (MEMBER(link)->pid == pid && is_alive(MEMBER(link))) {
        process_doom(MEMBER(link), how);
        found = true;
    }
    unlock(state);
    scheduler_wake_cpu();
    return found;
}

void process_kill_family(const struct process *process) {
    uintptr_t state = lock();

    LIST_EACH(link, &process_all)
    if (is_alive(MEMBER(link)) && descends_from(MEMBER(link), process))
        process_doom(MEMBER(link), DEATH_KILLED);
    unlock(state);
    scheduler_wake_cpu();
}

void process_kill_all(void) {
    process_kill_family(NULL);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* A child to collect, or NULL; *any: there is one to wait for. */
static struct process *find_child(struct process *process, uint32_t pid, bool *any) {
    *any = false;
    LIST_EACH(link, &process->children) {
        struct process *child = CHILD(link);

        if (pid != 0 && child->pid != pid)
            continue;
        *any = true;
        if (can_collect(child))
            return child;
    }
    return NULL;
}

static int64_t collect_child(struct process *child, int32_t *status) {
    uint32_t pid = child->pid;

    *status = child->status;
    object_give(OBJECT_PROCESS, child);
    return pid;
}

/* One look: a child to collect, or NULL, after having waited for one if there is any. */
static struct process *look_for_child(struct process *process, uint32_t pid, bool *any) {
    uintptr_t state = lock();
    struct process *child = find_child(process, pid, any);
    bool waits = child == NULL && *any && !process_is_doomed(process);

    if (child != NULL)
        leave_lists(child);
    if (waits)
        process->state = PROCESS_WAITING;
    ticket_lock_release(&process_lock);
    if (waits)
        scheduler_leave();
    irq_restore(state);
    return child;
}

int64_t process_wait(uint32_t pid, int32_t *status) {
    struct process *process = process_current();

    for (;;) {
        bool any;
        struct process *child = look_for_child(process, pid, &any);

        if (child != NULL)
            return collect_child(child, status);
        if (!any)
            return -ERROR_NO_CHILD;
        if (process_is_doomed(process))
            process_end(atomic_load(&process->doom));
    }
}

int32_t process_collect(struct process *process, void (*poll)(struct process *process)) {
    for (;;) {
        uintptr_t state = lock();
        bool has_ended = can_collect(process);
        int32_t status = process->status;

        if (has_ended)
            leave_lists(process);
        unlock(state);
        if (has_ended) {
            object_give(OBJECT_PROCESS, process);
            return status;
        }
        if (poll != NULL)
            poll(process);
        scheduler_lend();
    }
}

/* ---- Looking --------------------------------------------------------------------------------- */

uint64_t process_object_bytes(const struct process *process) {
    return object_bytes(OBJECT_PROCESS) + object_bytes(OBJECT_STACK) + object_bytes(OBJECT_SPACE) +
           process->space->regions.count * object_bytes(OBJECT_REGION);
}

static void read_info(const struct process *process, struct process_info *info) {
    const struct space *space = process->space;

    *info = (struct process_info){
        .pid = process->pid,
        .parent = process->parent != NULL ? process->parent->pid : 0,
        .state = process->state,
        .cpu = process->cpu,
        .turns = atomic_load_explicit(&process->turns, memory_order_relaxed),
    };
    memcpy(info->name, process->name, sizeof info->name);
    if (space == NULL)
        return;
    info->resident = atomic_load_explicit(&space->resident, memory_order_relaxed);
    info->peak = space->resident_peak;
    info->blocks = space->blocks;
    info->limit_bytes = space->limit_bytes;
    info->reserved_bytes = space->reserved_bytes;
    info->tables = space->table.tables;
    info->object_bytes = process_object_bytes(process);
}

bool process_info_next(uint32_t *pid, struct process_info *info) {
    uintptr_t state = lock();
    bool found = false;

    LIST_EACH(link, &process_all) {
        if (MEMBER(link)->pid > *pid) {
            read_info(MEMBER(link), info);
            *pid = info->pid;
            found = true;
            break;
        }
    }
    unlock(state);
    return found;
}

unsigned process_count(void) {
    uintptr_t state = lock();
    unsigned result = count;

    unlock(state);
    return result;
}

uint64_t processes_ended(void) {
    uintptr_t state = lock();
    uint64_t result = ended;

    unlock(state);
    return result;
}

const char *process_state_text(enum process_state state) {
    static const char *const text[] = {"new",     "ready",   "running", "sleeping",
                                       "waiting", "reading", "ended"};

    return text[state];
}

const char *process_status_text(int32_t status) {
    static const char *const text[] = {"exit", "killed", "used an address it may not use",
                                       "executed what it may not execute", "memory ran out"};

    return status < 0 && status >= DEATH_MAX ? text[-status] : text[0];
}
