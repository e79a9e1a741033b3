/* command.c: larder record: run a program and record what it does with memory. */
#include "command.h"
#include "record/collector.h"
#include "record/record.h"
#include "record/resolve.h"
#include "say.h"
#include "trace/memory.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 10, IDLE_NS = 200000, SIGNAL_BASE = 128 };

extern const char record_library[], record_library_end[];

static volatile sig_atomic_t child_pid;

/* Who ends the recorder means the program. */
static void pass_on(int number) {
    if (child_pid > 0)
        (void)kill((pid_t)child_pid, number);
}

/* ---- The program ----------------------------------------------------------------------------- */

/* The library in a file of memory; its descriptor. Below 0 iff that cannot be made: errno. */
static int library_file(void) {
    const int fd = memfd_create("larder-record.so", MFD_CLOEXEC);
    const size_t bytes = (size_t)(record_library_end - record_library);
    if (fd >= 0 && write(fd, record_library, bytes) != (ssize_t)bytes)
        return -1;
    return fd;
}

/* The library goes before whatever is preloaded already: that is the allocator behind it. */
static void set_environment(int library_fd, int channel_fd) {
    char path[64], *both;
    const char *others = getenv("LD_PRELOAD");
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), channel_fd);
    (void)setenv(CHANNEL_VARIABLE, path, 1);
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), library_fd);
    if (asprintf(&both, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") > 0) {
        (void)setenv("LD_PRELOAD", both, 1);
        free(both);
    }
}

static pid_t start(struct channel *channel, bool is_one, char **argv) {
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (is_one)
        channel->only_pid = (uint32_t)getpid();
    (void)execvp(argv[0], argv);
    say_error("cannot run %s: %s", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* The exit code a shell would give. */
static int code_of(int status) {
    return WIFSIGNALED(status) ? SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- Collecting ------------------------------------------------------------------------------ */

static uint64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Until the program has ended and nothing more of it comes. Its exit code. */
static int collect(struct collector *collector, struct record_ended *ended) {
    struct rusage usage = {0};
    int status = 0;
    uint64_t ticked_ms = 0;
    for (bool has_ended = false;;) {
        const uint64_t count = collector_round(collector), now = now_ms();
        if (now - ticked_ms >= TICK_MS) {
            collector_tick(collector);
            ticked_ms = now;
        }
        if (count > 0)
            continue;
        if (has_ended)
            break;
        has_ended = wait4(ended->pid, &status, WNOHANG, &usage) == ended->pid;
        if (!has_ended)
            (void)nanosleep(&(struct timespec){.tv_nsec = IDLE_NS}, NULL);
    }
    ended->cpu_ns = record_cpu_ns(&usage);
    return code_of(status);
}

/* ---- Results --------------------------------------------------------------------------------- */

static void resolve_all(const struct collector *collector) {
    for (size_t i = 0; i < collector->count_images; i++) {
        const struct image *image = collector->images[i];
        if (image->count_maps > 0)
            (void)resolve_trace(image->path, image->maps, image->count_maps);
    }
}

static void say_results(const struct collector *collector) {
    uint64_t count_lost = 0, count_missed = 0;
    for (size_t i = 0; i < collector->count_images; i++) {
        struct trace_error error;
        struct trace_reader *reader = trace_reader_open(collector->images[i]->path, &error);
        count_lost += collector->images[i]->count_lost;
        count_missed += collector->images[i]->losses.lost_frees;
        if (!reader)
            continue;
        const struct trace_info *info = trace_reader_info(reader);
        (void)fprintf(stderr, "%10" PRIu64 " events in %s  (%.60s)\n", info->count_events,
                      collector->images[i]->path, info->program);
        trace_reader_close(reader);
    }
    if (count_lost > 0)
        say_error("%" PRIu64 " events were lost", count_lost);
    if (count_missed > 0)
        say_error("%" PRIu64 " frees were not seen (their blocks came back) and are put in",
                  count_missed);
    if (collector->channel->count_without_ring > 0)
        say_error("%" PRIu32 " times a thread was not recorded: more than %d at once",
                  collector->channel->count_without_ring, CHANNEL_COUNT_RINGS);
}

int record_program(const struct record_options *options, char **argv, struct record_ended *ended) {
    struct collector collector = {.output_path = options->output_path, .program = argv[0]};
    *ended = (struct record_ended){0};
    const int library_fd = library_file();
    if (library_fd < 0 || !collector_begin(&collector, options->stacks, options->sample_every)) {
        say_error("cannot share memory with a program: %s", strerror(errno));
        return EXIT_TROUBLE;
    }
    set_environment(library_fd, collector.channel_fd);
    const pid_t pid = start(collector.channel, options->is_one, argv);
    if (pid < 0) {
        say_error("cannot start a process: %s", strerror(errno));
        return EXIT_TROUBLE;
    }
    child_pid = ended->pid = pid;
    (void)signal(SIGINT, SIG_IGN); /* the terminal sends it to the program too */
    (void)signal(SIGQUIT, SIG_IGN);
    (void)signal(SIGTERM, pass_on);
    (void)signal(SIGHUP, pass_on);
    int code = collect(&collector, ended);
    collector_finish(&collector);
    if (options->stacks != CHANNEL_STACKS_NONE && !options->is_unresolved)
        resolve_all(&collector);
    if (!options->is_quiet)
        say_results(&collector);
    if (collector.error) {
        say_error("cannot write %s: %s", options->output_path, strerror(collector.error));
        code = EXIT_TROUBLE;
    } else if (collector.count_images == 0 && code < 126) {
        say_error("nothing was recorded: %s is linked statically, or may not be preloaded",
                  argv[0]);
        code = EXIT_TROUBLE;
    }
    collector_end(&collector);
    return code;
}

/* ---- The command line -------------------------------------------------------------------------
 */

bool record_read_stacks(const char *word, enum channel_stacks *stacks) {
    static const char *const words[] = {[CHANNEL_STACKS_NONE] = "none",
                                        [CHANNEL_STACKS_CALLER] = "caller",
                                        [CHANNEL_STACKS_FRAMES] = "frames",
                                        [CHANNEL_STACKS_UNWIND] = "unwind"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], word) == 0) {
            *stacks = (enum channel_stacks)i;
            return true;
        }
    }
    (void)say_usage("--stacks is one of none, caller, frames, unwind");
    return false;
}

static const char *default_path(const char *program) {
    const char *slash = strrchr(program, '/');
    char *path;
    return asprintf(&path, "%s.ltr", slash ? slash + 1 : program) < 0 ? "program.ltr" : path;
}

static int run(int argc, char **argv) {
    static const struct option known[] = {{"output", required_argument, NULL, 'o'},
                                          {"stacks", required_argument, NULL, 's'},
                                          {"every", required_argument, NULL, 'e'},
                                          {"one", no_argument, NULL, '1'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"unresolved", no_argument, NULL, 'u'},
                                          {NULL, 0, NULL, 0}};
    struct record_options options = {.stacks = CHANNEL_STACKS_CALLER, .sample_every = 1};
    struct record_ended ended;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "+o:s:1q", known, NULL)) != -1;) {
        char *end = "";
        if (option == 'o')
            options.output_path = optarg;
        else if (option == 'q')
            options.is_quiet = true;
        else if (option == '1')
            options.is_one = true;
        else if (option == 'u')
            options.is_unresolved = true;
        else if (option == 'e')
            options.sample_every = (uint32_t)strtoul(optarg, &end, 10);
        else if (option != 's')
            return say_usage("what is %s?", argv[optind - 1]);
        else if (!record_read_stacks(optarg, &options.stacks))
            return EXIT_USAGE;
        if (*end || options.sample_every == 0)
            return say_usage("--every takes a number from 1 on");
    }
    if (optind == argc)
        return say_usage("which program?");
    if (!options.output_path)
        options.output_path = default_path(argv[optind]);
    return record_program(&options, argv + optind, &ended);
}

const struct command record_command = {
    .name = "record",
    .arguments = "[OPTION]... PROGRAM [ARGUMENT]...",
    .summary = "run a program and record what it does with memory",
    .help =
        "  -o, --output=TRACE   where to (PROGRAM.ltr); a child process has its number in the "
        "name\n"
        "  -s, --stacks=HOW     who allocates: none, caller (the default), frames (along frame\n"
        "                       pointers), unwind (right for all programs, and slow)\n"
        "      --every=N        the whole stack of one allocation in N only\n"
        "  -1, --one            only the process of PROGRAM, not its children\n"
        "      --unresolved     leave call sites as addresses\n"
        "  -q, --quiet          no word at the end\n\n"
        "The exit code is the program's. Whatever allocator it uses is recorded, also one that\n"
        "LD_PRELOAD names.\n",
    .run = run,
};
