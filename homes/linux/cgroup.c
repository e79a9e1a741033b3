/* cgroup.c: see cgroup.h. Inside a container the group of the process is often shown as "/", with
 * the container's own files at the root of /sys/fs/cgroup: so the root is asked too. */
#include "cgroup.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define FILE_NAME "/memory.max"
#define PATH_BYTES 1024u

/* At most room - 1 bytes of a small file, with a NUL behind. */
static size_t read_file(const char *path, char *text, size_t room) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file < 0 ? 0 : read(file, text, room - 1);
    if (file >= 0)
        (void)close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

/* SIZE_MAX iff the group at `path` has no limit: the file says "max", or is not there. `path` has
 * room for the name. */
static size_t limit_at(char *path) {
    char text[32];
    size_t bytes = 0;
    const size_t length = strlen(path);
    memcpy(path + length, FILE_NAME, sizeof FILE_NAME);
    (void)read_file(path, text, sizeof text);
    path[length] = '\0';
    if (text[0] < '0' || text[0] > '9')
        return SIZE_MAX;
    for (const char *at = text; *at >= '0' && *at <= '9'; at++)
        bytes = bytes * 10 + (size_t)(*at - '0');
    return bytes;
}

/* Put ROOT and the path that the line "0::PATH" of /proc/self/cgroup names into `path`. */
static void find_own(char *path) {
    char text[PATH_BYTES - sizeof ROOT - sizeof FILE_NAME];
    memcpy(path, ROOT, sizeof ROOT);
    (void)read_file("/proc/self/cgroup", text, sizeof text);
    const char *line = strstr(text, "0::/");
    if (line) {
        const size_t length = strcspn(line + 3, "\n");
        memcpy(path + sizeof ROOT - 1, line + 3, length);
        path[sizeof ROOT - 1 + length] = '\0';
    }
}

size_t cgroup_limit(const char *where) {
    char path[PATH_BYTES];
    size_t least = SIZE_MAX;
    if (where[0] == '0' || strlen(where) >= PATH_BYTES - sizeof FILE_NAME)
        return 0;
    if (where[0] == '/')
        memcpy(path, where, strlen(where) + 1);
    else
        find_own(path);
    for (;;) {
        const size_t here = limit_at(path);
        least = here < least ? here : least;
        char *slash = strrchr(path, '/');
        if (where[0] == '/' || strlen(path) < sizeof ROOT || !slash)
            break;
        *slash = '\0';
    }
    return least == SIZE_MAX ? 0 : least;
}
