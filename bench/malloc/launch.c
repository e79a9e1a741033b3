/*
 * launch CPUS PRELOAD OUTPUT PROGRAM [ARGUMENT]...: run one program, print what it cost.
 *
 * CPUS is a list like 0,1; PRELOAD a library for LD_PRELOAD, or "" for none; OUTPUT the file for
 * the program's stdout. The line on our stdout is JSON.
 *
 * Why not from the driver: Linux counts into a child's peak resident size (ru_maxrss) what its
 * parent had in memory when it forked. An interpreter has ten times what a small program needs; we
 * have next to nothing. For the same reason nothing here allocates, and the Makefile links us
 * statically.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST = 4, NOT_STARTED = 127 };

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
    _exit(NOT_STARTED);
}

static void pin(const char *list) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (char *end; *list; list = *end ? end + 1 : end)
        CPU_SET((size_t)strtoul(list, &end, 10), &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        give_up("sched_setaffinity");
}

static _Noreturn void become(char **argument) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (*argument[2] ? setenv("LD_PRELOAD", argument[2], 1) : unsetenv("LD_PRELOAD"))
        give_up("setenv");
    int output = open(argument[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (output < 0 || dup2(output, STDOUT_FILENO) < 0)
        give_up(argument[3]);
    execv(argument[FIRST], argument + FIRST);
    give_up(argument[FIRST]);
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int count, char **argument) {
    if (count <= FIRST) {
        fputs("usage: launch CPUS PRELOAD OUTPUT PROGRAM [ARGUMENT]...\n", stderr);
        return 2;
    }
    pin(argument[1]);
    double start_s = now_s();
    pid_t child = fork();
    if (child < 0)
        give_up("fork");
    if (child == 0)
        become(argument);
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0)
        if (errno != EINTR)
            give_up("wait4");
    printf("{\"wall_s\": %.6f, \"user_s\": %.6f, \"system_s\": %.6f, \"peak_kib\": %ld, "
           "\"faults\": %ld, \"status\": %d}\n",
           now_s() - start_s, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
           usage.ru_minflt + usage.ru_majflt,
           WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
    return 0;
}
