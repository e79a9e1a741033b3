/* run.c: larder run PROGRAM: start a program with larder's malloc, and give a short account when it
 * has ended.
 *
 * The library writes the account itself (LARDER_STATS_FILE), each process of the program a file of
 * its own into a folder of ours. The program keeps the terminal, its exit code is ours, and what it
 * prints to standard output stays clean: the account goes to standard error.
 */
#include "account.h"
#include "command.h"
#include "control.h"
#include "library.h"
#include "say.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NO_PROGRAM = 127, EXIT_SIGNAL = 128 };
enum { OTHERS_SHOWN = 6 };
enum { FOLDER_LENGTH = 1024, PATH_LENGTH = FOLDER_LENGTH + NAME_MAX + 2 };

struct ended {
    pid_t pid;
    int status; /* of wait4() */
    uint64_t cpu_ns;
};

/* ---- the program -------------------------------------------------------------------------------
 */

static void become(char **argv, const char *library, const char folder[FOLDER_LENGTH]) {
    char pattern[PATH_LENGTH];
    (void)snprintf(pattern, sizeof pattern, "%s/%%p.json", folder);
    if (!library_preload(library) || setenv("LARDER_STATS_FILE", pattern, 1) != 0 ||
        setenv("LARDER_STATS", "json", 1) != 0)
        say_error("no memory for the environment");
    else
        (void)execvp(argv[0], argv);
    say_error("%s cannot be started: %s", argv[0], strerror(errno));
    _exit(EXIT_NO_PROGRAM);
}

static uint64_t nanoseconds(const struct timeval *time) {
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

/* What is typed at the terminal is for the program: it gets these signals itself, we outlive them.
 */
static bool run_program(char **argv, const char *library, const char *folder, struct ended *ended) {
    struct rusage usage;
    ended->pid = fork();
    if (ended->pid < 0) {
        say_error("no process can be made: %s", strerror(errno));
        return false;
    }
    if (ended->pid == 0)
        become(argv, library, folder);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    while (wait4(ended->pid, &ended->status, 0, &usage) < 0) {
        if (errno != EINTR)
            return false;
    }
    ended->cpu_ns = nanoseconds(&usage.ru_utime) + nanoseconds(&usage.ru_stime);
    return true;
}

static int exit_code(int status) {
    return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
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
        const bool is_other = file->d_name[0] != '.' && strcmp(file->d_name, own) != 0;
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

static void write_account(const char *folder, const struct ended *ended, bool as_json) {
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

static int run_with_account(char **argv, const char *library, bool as_json) {
    char folder[FOLDER_LENGTH];
    struct ended ended;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/larder-run.XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        say_error("no folder can be made in %s: %s", folder, strerror(errno));
        return EXIT_TROUBLE;
    }
    const bool has_run = run_program(argv, library, folder, &ended);
    if (has_run && exit_code(ended.status) != EXIT_NO_PROGRAM)
        write_account(folder, &ended, as_json);
    remove_folder(folder);
    return has_run ? exit_code(ended.status) : EXIT_TROUBLE;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"library", required_argument, NULL, 'l'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    const char *wanted = NULL;
    bool as_json = false;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        if (option == '?')
            return say_usage("there is no option \"%s\"", argv[optind - 1]);
        as_json = as_json || option == 'j';
        wanted = option == 'l' ? optarg : wanted;
    }
    if (optind == argc)
        return say_usage("say which program to run");
    const char *library = library_find(wanted);
    return library ? run_with_account(argv + optind, library, as_json) : EXIT_TROUBLE;
}

const struct command run_command = {
    .name = "run",
    .arguments = "[--library=FILE] [--json] PROGRAM [ARGUMENT]...",
    .summary = "Run a program with larder's malloc and account for its memory",
    .help =
        "  --library=FILE   liblarder.so, if it is not beside this command; or $LARDER_LIBRARY\n"
        "  --json           the account as JSON, with every size class\n"
        "\n"
        "The account goes to standard error when the program has ended; the exit code is the\n"
        "program's. Processes that it starts run with larder too and get a line each. All options "
        "of\n"
        "the library hold: LARDER_HELP=1 larder run true lists them.\n",
    .run = run,
};
