/* run.c: larder run PROGRAM: start a program with larder's malloc, and give a short account when it
 * has ended.
 *
 * The library writes the account itself (LARDER_STATS_FILE), each process of the program a file of
 * its own into a folder of ours. The program keeps the terminal, its exit code is ours, and what it
 * prints to standard output stays clean: the account goes to standard error.
 *
 * For a report the program is recorded as well: the recorder lies before the library, and the trace
 * goes into our folder.
 */
#include "account.h"
#include "command.h"
#include "control.h"
#include "library.h"
#include "say.h"

#include "record/record.h"
#include "report/make.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NO_PROGRAM = 127, EXIT_SIGNAL = 128 };
enum { OTHERS_SHOWN = 6 };
enum { FOLDER_LENGTH = 1024, PATH_LENGTH = FOLDER_LENGTH + NAME_MAX + 2 };

struct options {
    const char *library; /* liblarder.so */
    const char *report;  /* where to; NULL: none */
    enum channel_stacks stacks;
    bool as_json;
};

/* ---- the program -------------------------------------------------------------------------------
 */

static bool set_environment(const char *library, const char folder[FOLDER_LENGTH]) {
    char pattern[PATH_LENGTH];
    (void)snprintf(pattern, sizeof pattern, "%s/%%p.json", folder);
    if (library_preload(library) && setenv("LARDER_STATS_FILE", pattern, 1) == 0 &&
        setenv("LARDER_STATS", "json", 1) == 0)
        return true;
    say_error("no memory for the environment");
    return false;
}

static void become(char **argv) {
    (void)execvp(argv[0], argv);
    say_error("%s cannot be started: %s", argv[0], strerror(errno));
    _exit(EXIT_NO_PROGRAM);
}

static int exit_code(int status) {
    return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What is typed at the terminal is for the program: it gets these signals itself, we outlive them.
 */
static int run_program(char **argv, struct record_ended *ended) {
    struct rusage usage;
    int status;
    ended->pid = fork();
    if (ended->pid < 0) {
        say_error("no process can be made: %s", strerror(errno));
        return EXIT_TROUBLE;
    }
    if (ended->pid == 0)
        become(argv);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    while (wait4(ended->pid, &status, 0, &usage) < 0) {
        if (errno != EINTR)
            return EXIT_TROUBLE;
    }
    ended->cpu_ns = record_cpu_ns(&usage);
    return exit_code(status);
}

/* ---- the account -------------------------------------------------------------------------------
 */

static json_t *load(const char folder[FOLDER_LENGTH], const char *name) {
    char path[PATH_LENGTH];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return json_load_file(path, 0, NULL);
}

static const char *program_of(const json_t *statistics) {
    const char *name = json_string_value(json_object_get(statistics, "program"));
    return name ? name : "?";
}

static uint64_t peak_resident(const json_t *statistics) {
    return account_amount(statistics, "resident", "peak");
}

static void write_line(const json_t *statistics) {
    char live[SAY_BYTES_LENGTH], resident[SAY_BYTES_LENGTH];
    (void)fprintf(stderr, "  process %-8" PRIu64 " %-16s peak live %10s   peak resident %10s\n",
                  control_number(statistics, "process"), program_of(statistics),
                  say_bytes(live, account_amount(statistics, "live", "peak")),
                  say_bytes(resident, peak_resident(statistics)));
}

/* The largest of those in a list, by insertion; the least of them falls out. */
static void keep_largest(json_t *largest[OTHERS_SHOWN], json_t *statistics) {
    for (size_t i = 0; i < OTHERS_SHOWN; i++) {
        if (!largest[i] || peak_resident(statistics) > peak_resident(largest[i])) {
            json_t *const next = largest[i];
            largest[i] = statistics;
            statistics = next;
        }
    }
    json_decref(statistics);
}

/* Processes that the program started, a line each for the largest. */
static void write_others(const char *folder, const char *own) {
    json_t *largest[OTHERS_SHOWN] = {NULL};
    size_t count = 0;
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files));) {
        const bool is_other = strstr(file->d_name, ".json") && strcmp(file->d_name, own) != 0;
        json_t *statistics = is_other ? load(folder, file->d_name) : NULL;
        count += statistics != NULL;
        if (statistics)
            keep_largest(largest, statistics);
    }
    if (files)
        (void)closedir(files);
    for (size_t i = 0; i < OTHERS_SHOWN && largest[i]; i++) {
        write_line(largest[i]);
        json_decref(largest[i]);
    }
    if (count > OTHERS_SHOWN)
        (void)fprintf(stderr, "  and %zu more processes, none of them larger\n",
                      count - OTHERS_SHOWN);
}

static void write_account(const char *folder, const struct record_ended *ended, bool as_json) {
    char own[32];
    (void)snprintf(own, sizeof own, "%d.json", (int)ended->pid);
    json_t *statistics = load(folder, own);
    if (!statistics) {
        say_error("the program left no account. One that is linked statically or set-uid, or that "
                  "ended by a signal or _exit(), leaves none");
    } else if (as_json) {
        (void)json_dumpf(statistics, stderr, JSON_INDENT(2));
        (void)fputc('\n', stderr);
    } else {
        (void)fprintf(stderr, "larder: %s, process %d\n", program_of(statistics), (int)ended->pid);
        account_write(stderr, statistics, ended->cpu_ns);
    }
    if (!as_json)
        write_others(folder, own);
    json_decref(statistics);
}

static void remove_folder(const char *folder) {
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files));)
        (void)unlinkat(dirfd(files), file->d_name, 0);
    if (files)
        (void)closedir(files);
    (void)rmdir(folder);
}

/* ---- the command -------------------------------------------------------------------------------
 */

/* The program's exit code, or EXIT_TROUBLE. */
static int run_with_account(char **argv, const struct options *options, const char *folder) {
    struct record_ended ended;
    const int code = run_program(argv, &ended);
    if (ended.pid > 0 && code != EXIT_NO_PROGRAM)
        write_account(folder, &ended, options->as_json);
    return code;
}

/* The same, unless the report cannot be written. */
static int run_with_report(char **argv, const struct options *options,
                           const char folder[FOLDER_LENGTH]) {
    char trace[PATH_LENGTH];
    struct record_ended ended;
    const struct record_options record = {.output_path = trace,
                                          .stacks = options->stacks,
                                          .sample_every = 1,
                                          .is_quiet = true,
                                          .is_one = true};
    (void)snprintf(trace, sizeof trace, "%s/program.ltr", folder);
    const int code = record_program(&record, argv, &ended);
    if (access(trace, R_OK) != 0)
        return code; /* why there is none has been said */
    (void)signal(SIGINT, SIG_DFL);
    write_account(folder, &ended, options->as_json);
    const int made = report_make(trace, options->report);
    if (made == EXIT_OK && !options->as_json)
        (void)fprintf(stderr, "  report in %s\n", options->report);
    return made == EXIT_OK ? code : made;
}

static int run_in_folder(char **argv, const struct options *options) {
    char folder[FOLDER_LENGTH];
    int code = EXIT_TROUBLE;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/larder-run.XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        say_error("no folder can be made in %s: %s", folder, strerror(errno));
        return EXIT_TROUBLE;
    }
    if (set_environment(options->library, folder))
        code = options->report ? run_with_report(argv, options, folder)
                               : run_with_account(argv, options, folder);
    remove_folder(folder);
    return code;
}

static int run(int argc, char **argv) {
    static const struct option known[] = {{"library", required_argument, NULL, 'l'},
                                          {"report", required_argument, NULL, 'r'},
                                          {"stacks", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.stacks = CHANNEL_STACKS_CALLER};
    const char *wanted = NULL;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "+", known, NULL)) != -1;) {
        if (option == 'l')
            wanted = optarg;
        else if (option == 'r')
            options.report = optarg;
        else if (option == 'j')
            options.as_json = true;
        else if (option != 's')
            return say_usage("there is no option \"%s\"", argv[optind - 1]);
        else if (!record_read_stacks(optarg, &options.stacks))
            return EXIT_USAGE;
    }
    if (optind == argc)
        return say_usage("say which program to run");
    options.library = library_find(wanted);
    if (!options.library || (options.report && !report_can_make(options.report)))
        return EXIT_TROUBLE;
    return run_in_folder(argv + optind, &options);
}

const struct command run_command = {
    .name = "run",
    .arguments = "[--report=FILE.html] [OPTION]... PROGRAM [ARGUMENT]...",
    .summary = "Run a program with larder's malloc and account for its memory",
    .help =
        "      --report=FILE   record it too, and make the page of `larder report` when it ends;\n"
        "                      that takes time, and the recorder's memory is counted as resident\n"
        "      --stacks=HOW    call sites in the report: none, caller (the default), frames, or\n"
        "                      unwind, as for larder record\n"
        "      --library=FILE  liblarder.so, if it is not beside this command; or "
        "$LARDER_LIBRARY\n"
        "      --json          the account as JSON, with every size class\n"
        "\n"
        "The account goes to standard error when the program has ended; the exit code is the\n"
        "program's. Processes that it starts run with larder too and get a line each; the report\n"
        "is of the program alone. All options of the library hold: LARDER_HELP=1 larder run true\n"
        "lists them.\n",
    .run = run,
};
