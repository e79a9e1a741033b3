/* control.c: the control socket. See control.h.
 *
 * A thread of its own waits in accept(): it costs nothing until somebody asks, and a client that
 * reads slowly holds up nobody but other clients. One request for each connection. The socket is
 * the user's alone: by its mode from the moment it exists, by the credentials of whoever connects,
 * and no name of it is ever on a network.
 */
#include "control.h"

#include "options.h"
#include "output.h"
#include "path.h"
#include "process.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES 256u
#define PATIENCE_S 5  /* with a client that neither reads nor writes */
#define HIGH_FILE 512 /* out of the way of programs that count on their numbers of files */
#define BACKLOG 8
#define SCARCITY_NS 50000000

enum { NONE, STARTING, LISTENING, REFUSED };

static struct {
    int state; /* atomic */
    int file;
    pid_t process;           /* that made the socket, and removes it */
    struct stat identity;    /* of `file`: programs close files that they did not open */
    struct sockaddr_un name; /* of the socket */
} control;

/* ---- one client ---- */

static bool is_ours(int file) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(file, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* One line into `request`, without its end. False iff there is none that fits. */
static bool read_request(int file, char request[REQUEST_BYTES]) {
    size_t length = 0;
    while (length < REQUEST_BYTES) {
        const ssize_t here = read(file, request + length, REQUEST_BYTES - length);
        if (here <= 0)
            return false;
        char *end = memchr(request + length, '\n', (size_t)here);
        length += (size_t)here;
        if (end) {
            *end = '\0';
            return true;
        }
    }
    return false;
}

static void serve(int file) {
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    char request[REQUEST_BYTES];
    struct output output;
    (void)setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (!is_ours(file) || !read_request(file, request))
        return;
    output_start(&output, file);
    control_answer(request, &output.sink);
    output_end(&output);
}

/* Is the file still what we opened, and not another of the program's under the same number? */
static bool is_open(void) {
    struct stat now;
    return fstat(control.file, &now) == 0 && now.st_dev == control.identity.st_dev &&
           now.st_ino == control.identity.st_ino;
}

/* The program has used up its files, say: that passes, and the client waits. */
static bool is_scarcity(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void *run(void *unused) {
    const struct timespec pause = {.tv_nsec = SCARCITY_NS};
    (void)unused;
    while (is_open()) {
        const int client = accept4(control.file, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0) {
            serve(client);
            (void)close(client);
        } else if (is_scarcity(errno)) {
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            break;
        }
    }
    return NULL;
}

/* ---- the socket ---- */

/* LARDER_CONTROL=1: in the user's own folder, where there is one. */
static bool name_socket(struct sockaddr_un *name) {
    struct path path;
    const char *folder = secure_getenv("XDG_RUNTIME_DIR");
    if (strcmp(options.control, "1") == 0)
        path_make(&path, folder && *folder ? folder : "/tmp", "/larder.");
    else
        path_make(&path, options.control, "");
    if (strcmp(options.control, "1") == 0) {
        struct path end;
        path_make(&end, "%p", ".sock");
        if (!path.is_whole || path.length + end.length >= PATH_BYTES)
            return false;
        memcpy(path.text + path.length, end.text, end.length + 1);
        path.length += end.length;
    }
    name->sun_family = AF_UNIX;
    if (!path.is_whole || path.length >= sizeof name->sun_path)
        return false;
    memcpy(name->sun_path, path.text, path.length + 1);
    return true;
}

static bool bind_to(int file, const struct sockaddr_un *name) {
    return bind(file, (const struct sockaddr *)(const void *)name, sizeof *name) == 0;
}

/* What a process that was killed left behind; a socket that answers is somebody's. */
static void remove_stale(const struct sockaddr_un *name) {
    struct stat status;
    const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_dead =
        connect(file, (const struct sockaddr *)(const void *)name, sizeof *name) != 0 &&
        errno == ECONNREFUSED;
    if (is_dead && lstat(name->sun_path, &status) == 0 && S_ISSOCK(status.st_mode))
        (void)unlink(name->sun_path);
    (void)close(file);
}

/* A listening socket; -1 iff there is none to be had. The mode of the file is that of the socket
 * before it has a name. */
static int listen_at(const struct sockaddr_un *name) {
    const int low = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int high = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, HIGH_FILE);
    const int file = high < 0 ? low : high;
    if (high >= 0)
        (void)close(low);
    if (file < 0)
        return -1;
    if (fchmod(file, S_IRUSR | S_IWUSR) == 0) {
        if (bind_to(file, name))
            goto bound;
        remove_stale(name);
        if (bind_to(file, name))
            goto bound;
    }
    (void)close(file);
    return -1;

bound:
    if (listen(file, BACKLOG) == 0)
        return file;
    (void)unlink(name->sun_path);
    (void)close(file);
    return -1;
}

static bool start(void) {
    control.file = name_socket(&control.name) ? listen_at(&control.name) : -1;
    if (control.file < 0)
        return false;
    control.process = getpid();
    if (fstat(control.file, &control.identity) == 0 && thread_create("larder-control", run))
        return true;
    (void)unlink(control.name.sun_path);
    (void)close(control.file);
    return false;
}

void control_start(void) {
    int none = NONE;
    const int saved = errno;
    if (!options.control || !process_is_started() ||
        !__atomic_compare_exchange_n(&control.state, &none, STARTING, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    const bool is_listening = start();
    if (!is_listening)
        output_warning("LARDER_CONTROL=", options.control, ": no socket can be made there");
    __atomic_store_n(&control.state, is_listening ? LISTENING : REFUSED, __ATOMIC_SEQ_CST);
    errno = saved;
}

void control_forget(void) {
    if (control.state == LISTENING && is_open())
        (void)close(control.file);
    control.state = NONE;
}

__attribute__((destructor(101))) static void control_end(void) {
    if (control.state == LISTENING && control.process == getpid())
        (void)unlink(control.name.sun_path);
}
