/* control.c: see control.h. */
#include "control.h"

#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_SECONDS = 10 };

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval wait = {.tv_sec = WAIT_SECONDS};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    (void)strcpy(address.sun_path, path);
    const int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection >= 0 &&
        connect(connection, (const struct sockaddr *)&address, sizeof address) != 0) {
        const int why = errno;
        (void)close(connection);
        errno = why;
        return -1;
    }
    (void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    return connection;
}

/* The two places where larder puts a socket by default. */
static int connect_to_process(const char *number) {
    const char *const folders[] = {getenv("XDG_RUNTIME_DIR"), "/tmp"};
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path + 1];
    int connection = -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && connection < 0; i++) {
        if (folders[i]) {
            (void)snprintf(path, sizeof path, "%s/larder.%s.sock", folders[i], number);
            connection = connect_to(path);
        }
    }
    return connection;
}

static json_t *receive(int connection) {
    json_error_t error;
    json_t *answer = json_loadfd(connection, JSON_DISABLE_EOF_CHECK, &error);
    const char *refused = json_string_value(json_object_get(answer, "error"));
    if (!answer)
        say_error("the answer cannot be read: %s", error.text);
    else if (refused)
        say_error("the process answers: %s", refused);
    if (!refused)
        return answer;
    json_decref(answer);
    return NULL;
}

json_t *control_ask(const char *process, const char *request) {
    const int connection = strchr(process, '/') ? connect_to(process) : connect_to_process(process);
    json_t *answer = NULL;
    if (connection < 0) {
        say_error(
            "no answer from %s: %s. It must run on larder with LARDER_CONTROL=1, and be yours",
            process, strerror(errno));
        return NULL;
    }
    if (dprintf(connection, "%s\n", request) > 0)
        answer = receive(connection);
    else
        say_error("%s hung up", process);
    (void)close(connection);
    return answer;
}

uint64_t control_number(const json_t *object, const char *name) {
    const json_int_t value = json_integer_value(json_object_get(object, name));
    return value > 0 ? (uint64_t)value : 0;
}
