/* child.c: the parent's side. See child.h. */
#include "child.h"

#include "run.h"
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 2048, PIPE_BYTES = 1 << 20, ANSWER_MS = 10000, LOOK_MS = 20 };

struct child {
    pid_t pid;
    int events, memory; /* the pipe, the shared memory; -1: none */
    struct shared *shared;
    size_t count;
    struct trace_event batch[BATCH];
};

/* ---- The library ----------------------------------------------------------------------------- */

/* Beside this program: ./dev linux puts ours in build/linux, an installation in ../lib. */
static bool find_beside(const char *name, char path[PATH_MAX]) {
    static const char *const folders[] = {"", "linux/", "../lib/"};
    char self[PATH_MAX / 2];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    char *slash = strrchr(self, '/');
    if (!slash || strlen(name) > PATH_MAX / 4)
        return false;
    slash[1] = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        (void)snprintf(path, PATH_MAX, "%s%s%s", self, folders[i], name);
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

/* "LD_PRELOAD=…". The caller's to free. */
static char *preload(const char *library) {
    char path[PATH_MAX], *text = NULL;
    const char *found = library;
    if (!strchr(library, '/') && find_beside(library, path))
        found = path;
    return asprintf(&text, "LD_PRELOAD=%s", found) < 0 ? NULL : text;
}

/* This environment with another LD_PRELOAD (NULL: none). The array is the caller's to free. */
static char **environment(char *preload_text) {
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **made = calloc(count + 2, sizeof *made);
    for (size_t i = 0; made && i < count; i++) {
        if (strncmp(environ[i], "LD_PRELOAD=", strlen("LD_PRELOAD=")) != 0)
            made[kept++] = environ[i];
    }
    if (made)
        made[kept] = preload_text;
    return made;
}

/* ---- Start ----------------------------------------------------------------------------------- */

static bool share(struct child *child) {
    child->memory = memfd_create("larder-replay", 0);
    if (child->memory < 0 || ftruncate(child->memory, sizeof *child->shared) != 0)
        return false;
    child->shared =
        mmap(NULL, sizeof *child->shared, PROT_READ | PROT_WRITE, MAP_SHARED, child->memory, 0);
    if (child->shared == MAP_FAILED)
        child->shared = NULL;
    return child->shared != NULL;
}

static int spawn(struct child *child, int input, char **variables) {
    char number[16], program[] = "/proc/self/exe", name[] = CHILD_COMMAND;
    char *arguments[] = {program, name, number, NULL};
    posix_spawn_file_actions_t actions;
    (void)snprintf(number, sizeof number, "%d", child->memory);
    int trouble = posix_spawn_file_actions_init(&actions);
    if (trouble != 0)
        return trouble;
    trouble = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (trouble == 0)
        trouble = posix_spawn(&child->pid, program, &actions, NULL, arguments, variables);
    (void)posix_spawn_file_actions_destroy(&actions);
    return trouble;
}

/* 0, or an errno. */
static int start(struct child *child, const char *library, const struct replay_config *config,
                 uint64_t count_events) {
    int ends[2];
    if (!share(child) || pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    child->shared->is_unchecked = config->is_unchecked;
    child->shared->is_untimed = config->is_untimed;
    child->shared->count_events = count_events;
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    child->events = ends[1];
    child->shared->wants_library = library != NULL;
    char *text = library ? preload(library) : NULL;
    char **variables = library && !text ? NULL : environment(text);
    const int trouble = variables ? spawn(child, ends[0], variables) : ENOMEM;
    free(variables);
    free(text);
    (void)close(ends[0]);
    return trouble;
}

static void drop(struct child *child) {
    if (child->shared)
        (void)munmap(child->shared, sizeof *child->shared);
    if (child->memory >= 0)
        (void)close(child->memory);
    if (child->events >= 0)
        (void)close(child->events);
    free(child);
}

struct child *child_start(const char *library, const struct replay_config *config,
                          uint64_t count_events, struct result *result) {
    struct child *child = calloc(1, sizeof *child);
    if (child) {
        child->events = child->memory = -1;
        (void)signal(SIGPIPE, SIG_IGN);
        const int trouble = start(child, library, config, count_events);
        if (trouble == 0)
            return child;
        errno = trouble;
        drop(child);
    }
    (void)snprintf(result->what, sizeof result->what, "its process cannot be started: %s",
                   strerror(errno));
    return NULL;
}

/* ---- Events ---------------------------------------------------------------------------------- */

static bool send_batch(struct child *child) {
    const char *at = (const char *)child->batch;
    size_t left = child->count * sizeof *child->batch;
    child->count = 0;
    while (left > 0) {
        const ssize_t written = write(child->events, at, left);
        if (written < 0 && (errno != EINTR || run_is_interrupted))
            return false;
        at += written > 0 ? written : 0;
        left -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

bool child_event(struct child *child, const struct trace_event *event) {
    child->batch[child->count++] = *event;
    return child->count < BATCH || send_batch(child);
}

/* ---- End ------------------------------------------------------------------------------------- */

/* Its status. It may be slow, with a long queue of events; once interrupted it has but so long. */
static int wait_for(const struct child *child) {
    int status = 0, waited_ms = 0;
    while (waitpid(child->pid, &status, WNOHANG) == 0) {
        (void)poll(NULL, 0, LOOK_MS);
        waited_ms += run_is_interrupted ? LOOK_MS : 0;
        if (waited_ms >= ANSWER_MS)
            (void)kill(child->pid, SIGKILL);
    }
    return status;
}

static void tell_death(const struct child *child, int status, struct result *result) {
    const unsigned long long events = child->shared->events;
    result->state = RESULT_CRASHED;
    if (WIFSIGNALED(status))
        (void)snprintf(result->what, sizeof result->what, "its process died at event %llu: %s",
                       events, strsignal(WTERMSIG(status)));
    else
        (void)snprintf(result->what, sizeof result->what,
                       "its process ended at event %llu with status %d", events,
                       WEXITSTATUS(status));
}

static void copy_result(const struct shared *shared, struct result *result) {
    const struct result own = *result;
    *result = shared->result;
    memcpy(result->name, own.name, sizeof own.name);
    memcpy(result->title, own.title, sizeof own.title);
    result->is_process = true;
    result->is_unchecked = own.is_unchecked;
    result->is_untimed = own.is_untimed;
}

void child_end(struct child *child, struct result *result) {
    (void)send_batch(child);
    (void)close(child->events);
    child->events = -1;
    const int status = wait_for(child);
    if (child->shared->is_done)
        copy_result(child->shared, result);
    else
        tell_death(child, status, result);
    drop(child);
}
