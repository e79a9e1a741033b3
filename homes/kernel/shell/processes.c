/* processes.c: commands about processes: run programs, look at what they hold. */
#include "processes.h"
#include "command.h"
#include "lifetimes.h"

#include "process/elf.h"
#include "process/input.h"
#include "process/objects.h"
#include "process/process.h"
#include "process/scheduler.h"
#include "process/space.h"
#include "process/user_frame.h"

#include "larder/frames.h"
#include "larder/stats.h"

#define CTRL_C 3
#define CTRL_D 4
#define COLUMNS 79u
#define KIB_A_FRAME (LARDER_FRAME_BYTES >> 10)

static uint64_t limit_bytes; /* for programs started from now on; 0: none */

/* ---- run ------------------------------------------------------------------------------------- */

/* In rows that no terminal wraps. */
static void show_programs(void) {
    size_t column = COLUMNS;
    printf("Programs:");
    for (const struct program *program = programs; program->name != NULL; program++) {
        size_t width = strlen(program->name) + 1;
        if (column + width >= COLUMNS) {
            printf("\n ");
            column = 1;
        }
        printf(" %s", program->name);
        column += width;
    }
    printf("\n");
}

/* What is typed goes to the program; ctrl-c ends it and what it started. */
static void pass_input(struct process *process) {
    int byte;
    while ((byte = console_poll()) >= 0) {
        if (byte == CTRL_C)
            process_kill_family(process);
        else if (byte == CTRL_D)
            input_end();
        else
            input_put((unsigned char)byte);
    }
}

static void show_end(const char *name, int32_t status) {
    if (status < 0)
        printf("%s: %s\n", name, process_status_text(status));
    else if (status > 0)
        printf("%s: exit code %d\n", name, status);
}

static void show_refusal(const char *name, int64_t status) {
    if (status == -ERROR_NOT_FOUND)
        printf("There is no program \"%.40s\".\n", name);
    else
        printf("\"%.40s\" cannot run: %s.\n", name,
               status == -ERROR_NO_MEMORY  ? "there is no memory"
               : status == -ERROR_TOO_LONG ? "its arguments are too long"
                                           : "it is no program for this kernel");
    if (status == -ERROR_NOT_FOUND)
        show_programs();
}

static void run_run(unsigned count, char **word) {
    bool awaited = !words_equal(word[count - 1], "&");
    struct process *process;
    int64_t status;
    if (count == 1) {
        show_programs();
        return;
    }
    process = process_create(word[1], count - 1 - !awaited, (const char *const *)word + 1,
                             limit_bytes, &status);
    if (process == NULL) {
        show_refusal(word[1], status);
        return;
    }
    if (!awaited)
        printf("process %u\n", process->pid);
    input_clear();
    process_start(process, awaited);
    if (awaited)
        show_end(word[1], process_collect(process, pass_input));
}

int program_run(const char *name) {
    struct process *process;
    int64_t status;
    int32_t how;
    process = process_create(name, 1, &name, 0, &status);
    if (process == NULL) {
        show_refusal(name, status);
        return 127;
    }
    process_start(process, true);
    how = process_collect(process, pass_input);
    show_end(name, how);
    return how < 0 ? 128 : how;
}

/* ---- ps, mem --------------------------------------------------------------------------------- */

static void run_ps(unsigned count, char **word) {
    struct process_info info;
    uint32_t pid = 0;
    (void)count, (void)word;
    printf("  pid parent cpu state    resident     peak tables objects  turns name\n");
    while (process_info_next(&pid, &info))
        printf("%5u %6u %3u %-8s %8lu %8lu %6lu %7lu %6lu %s\n", info.pid, info.parent, info.cpu,
               process_state_text(info.state), info.resident * KIB_A_FRAME, info.peak * KIB_A_FRAME,
               info.tables * KIB_A_FRAME, info.object_bytes >> 10, info.turns, info.name);
    printf("%u processes; sizes in KiB\n", process_count());
}

static void show_kib(const char *what, uint64_t bytes) {
    printf("  %-34s %10lu KiB\n", what, bytes >> 10);
}

static void run_mem(unsigned count, char **word) {
    struct larder_frames_stats stats;
    struct process_info info;
    uint64_t mapped = 0;
    uint32_t pid = 0;
    (void)count, (void)word;
    larder_frames_stats(kernel_larder, &stats);
    while (process_info_next(&pid, &info))
        mapped += info.resident;
    show_kib("given out by the kernel", stats.usable * LARDER_FRAME_BYTES);
    show_kib("free", (stats.free + stats.in_bins) * LARDER_FRAME_BYTES);
    show_kib("frames of processes", user_frames_held() * LARDER_FRAME_BYTES);
    show_kib("  as they see them, shared or not", mapped * LARDER_FRAME_BYTES);
    show_kib("translation tables", objects_live(OBJECT_TABLE) * LARDER_FRAME_BYTES);
    show_kib("kernel stacks", objects_live(OBJECT_STACK) * KERNEL_STACK_BYTES);
    show_kib("processes, spaces, regions",
             objects_live(OBJECT_PROCESS) * object_bytes(OBJECT_PROCESS) +
                 objects_live(OBJECT_SPACE) * object_bytes(OBJECT_SPACE) +
                 objects_live(OBJECT_REGION) * object_bytes(OBJECT_REGION));
    if (limit_bytes == 0)
        printf("  a process may have all there is\n");
    else
        show_kib("limit of a process", limit_bytes);
}

/* ---- kill, limit ----------------------------------------------------------------------------- */

/* Back when it is gone: what comes next finds its memory free. */
static void run_kill(unsigned count, char **word) {
    uint64_t pid;
    (void)count;
    while (words_equal(word[1], "all") && process_count() > 0) {
        process_kill_all();
        scheduler_lend();
    }
    if (words_equal(word[1], "all") || !command_number("PID", word[1], 1, UINT32_MAX, &pid))
        return;
    if (!process_kill((uint32_t)pid, DEATH_KILLED))
        printf("There is no process %lu.\n", pid);
    while (process_kill((uint32_t)pid, DEATH_KILLED))
        scheduler_lend();
}

static void run_limit(unsigned count, char **word) {
    unsigned used;
    if (words_equal(word[1], "none"))
        limit_bytes = 0;
    else
        (void)command_size(count, word, 1, &limit_bytes, &used);
}

/* ---- lifetimes ------------------------------------------------------------------------------- */

static void run_lifetimes(unsigned count, char **word) {
    struct lifetimes_result result;
    struct lifetimes_config config = {.seed = clock_us() | 1, .stop = shell_interrupted};
    (void)count;
    if (!command_number("COUNT", word[1], 1, 1000000, &config.count))
        return;
    if (process_count() > 0) {
        printf("Processes are alive: \"kill all\" first.\n");
        return;
    }
    lifetimes_run(&config, &result);
    lifetimes_show(&result);
}

/* ---- The map --------------------------------------------------------------------------------- */

struct holder {
    uint32_t owner;
    uint64_t lead;
};

/* The process that holds most of a cell, if one holds more than half of what processes hold there
 * (the vote of Boyer and Moore); else one of them. 0: none holds any. */
static uint32_t holder_of(uint64_t address, uint64_t bytes, uint64_t end) {
    struct holder holder = {0, 0};
    for (uint64_t at = address; at < address + bytes && at < end; at += LARDER_FRAME_BYTES) {
        uint32_t owner = user_frame_owner(at);
        if (owner == 0)
            continue;
        if (holder.lead == 0)
            holder.owner = owner;
        holder.lead = holder.owner == owner ? holder.lead + 1 : holder.lead - 1;
    }
    return holder.owner;
}

static void show_holder(uint32_t owner) {
    if (owner == 0)
        printf("%s", shell_terminal.colour ? "\x1b[32m.\x1b[0m" : ".");
    else if (shell_terminal.colour)
        printf("\x1b[30;%um%c\x1b[0m", 101 + owner % 6, (char)('a' + owner % 26));
    else
        printf("%c", (char)('a' + owner % 26));
}

static bool any_in_row(uint64_t row, uint64_t cell_bytes, unsigned cells, uint64_t end,
                       uint32_t *holder) {
    bool any = false;
    for (unsigned i = 0; i < cells; i++) {
        holder[i] =
            row + i * cell_bytes < end ? holder_of(row + i * cell_bytes, cell_bytes, end) : 0;
        any = any || holder[i] != 0;
    }
    return any;
}

static void show_letters(void) {
    struct process_info info;
    uint32_t pid = 0;
    while (process_info_next(&pid, &info)) {
        printf("  ");
        show_holder(info.pid);
        printf("  %5u  %-16s %10lu KiB\n", info.pid, info.name, info.resident * KIB_A_FRAME);
    }
}

void processes_map(uint64_t cell_bytes) {
    uint32_t holder[MAP_COLUMNS_MAX];
    unsigned cells = map_row_cells(shell_terminal.columns);
    uint64_t first, end;
    larder_map_span(kernel_larder, &first, &end);
    first = first / (cell_bytes * cells) * (cell_bytes * cells);
    printf("one cell is %lu KiB; letter: the process that holds most of it\n", cell_bytes >> 10);
    for (uint64_t row = first; row < end; row += cell_bytes * cells) {
        if (!any_in_row(row, cell_bytes, cells, end, holder))
            continue;
        printf("0x%09lx  ", row);
        for (unsigned i = 0; i < cells; i++)
            show_holder(holder[i]);
        printf("\n");
    }
    show_letters();
}

/* ---- Table ----------------------------------------------------------------------------------- */

static const struct command commands[] = {
    {"run", "[PROGRAM ARGS.. [&]]", "a program as a process; alone: which there are",
     "Ctrl-c ends it and what it started, ctrl-d ends its input. With & at the end it runs\n"
     "while you go on typing.\n",
     1, 8, OPERAND_PROGRAM, run_run},
    {"ps", "", "processes: what each does and holds",
     "resident: frames it can reach, shared ones too. objects: the kernel's own for it.\n", 1, 1,
     OPERAND_NONE, run_ps},
    {"mem", "", "what all processes hold together", NULL, 1, 1, OPERAND_NONE, run_mem},
    {"kill", "PID | all", "end a process", NULL, 2, 2, OPERAND_NONE, run_kill},
    {"lifetimes", "COUNT", "let so many live and die, count every frame",
     "Programs start, fork and are killed on all cores; after each end everything stands still\n"
     "and is counted. Ctrl-c ends it.\n",
     2, 2, OPERAND_NONE, run_lifetimes},
    {"limit", "SIZE | none", "how much memory programs may have from now on", NULL, 2, 3,
     OPERAND_NONE, run_limit},
};

const struct command_table process_commands = {"Processes", commands,
                                               sizeof(commands) / sizeof(commands[0])};
