/* library.c: see library.h. */
#include "library.h"

#include "say.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char found[PATH_MAX];

static bool is_there(const char *path) {
    return realpath(path, found) != NULL && access(found, R_OK) == 0;
}

/* Beside the folder of this command: build/linux, /usr/lib, and Debian's folder of an architecture.
 */
static bool is_beside_command(void) {
    static const char *const places[] = {"linux/liblarder.so", "../lib/liblarder.so",
                                         "../lib/" LAB_MULTIARCH "/liblarder.so"};
    char command[PATH_MAX], path[2 * PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", command, sizeof command - 1);
    if (length <= 0)
        return false;
    command[length] = '\0';
    *strrchr(command, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", command, places[i]);
        if (is_there(path))
            return true;
    }
    return false;
}

const char *library_find(const char *wanted) {
    const char *named = wanted ? wanted : getenv("LARDER_LIBRARY");
    if (named ? is_there(named) : is_beside_command())
        return found;
    if (named)
        say_error("there is no library %s", named);
    else
        say_error("liblarder.so is neither beside this command nor in ../lib; make it with ./dev "
                  "linux, or say --library=FILE");
    return NULL;
}

bool library_preload(const char *library) {
    const char *before = getenv("LD_PRELOAD");
    char *both = NULL;
    if (!before || !*before)
        return setenv("LD_PRELOAD", library, 1) == 0;
    if (asprintf(&both, "%s:%s", library, before) < 0)
        return false;
    const bool is_set = setenv("LD_PRELOAD", both, 1) == 0;
    free(both);
    return is_set;
}
