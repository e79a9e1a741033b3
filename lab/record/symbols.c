/* symbols.c: see symbols.h.
 *
 * A program's mappings change while it runs; the newest that knows an address counts. C++ names are
 * made readable by the C++ run-time library, where there is one: that is not worth a dependency.
 */
#include "record/symbols.h"

#include "trace/intern.h"
#include "trace/memory.h"

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char *demangler(const char *mangled, char *buffer, size_t *length, int *status);

struct symbols {
    Dwfl **sessions; /* one for each text of mappings, the newest first; NULL: of no use */
    size_t count_sessions;
    void *library;
    demangler *demangle;
    char **names; /* that were demangled */
    size_t count_names, names_capacity;
};

static char *debuginfo_path;
static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                         .find_debuginfo = dwfl_standard_find_debuginfo,
                                         .debuginfo_path = &debuginfo_path};

/* Only mappings of files: the others have no symbols, and some a name that looks like a file. */
static char *only_files(const char *maps) {
    char *kept = memory_resize(NULL, strlen(maps) + 1, 1), *to = kept;
    for (const char *line = maps, *next; *line; line = next) {
        const size_t length = strcspn(line, "\n");
        next = line + length + (line[length] == '\n');
        const char *slash = memchr(line, '/', length);
        if (!slash || strncmp(slash, "/dev/", 5) == 0 || strncmp(slash, "/memfd:", 7) == 0 ||
            strncmp(slash, "/SYSV", 5) == 0 || line[length] != '\n')
            continue;
        memcpy(to, line, (size_t)(next - line));
        to += next - line;
    }
    *to = '\0';
    return kept;
}

static Dwfl *begin_session(const char *maps) {
    char *files = only_files(maps);
    FILE *file = *files ? fmemopen(files, strlen(files), "r") : NULL;
    Dwfl *session = file ? dwfl_begin(&callbacks) : NULL;
    if (session) {
        dwfl_report_begin(session);
        if (dwfl_linux_proc_maps_report(session, file) != 0 ||
            dwfl_report_end(session, NULL, NULL) != 0) {
            dwfl_end(session);
            session = NULL;
        }
    }
    if (file)
        (void)fclose(file);
    free(files);
    return session;
}

static void find_demangler(struct symbols *symbols) {
    symbols->library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
    void *symbol = symbols->library ? dlsym(symbols->library, "__cxa_demangle") : NULL;
    memcpy(&symbols->demangle, &symbol, sizeof symbol);
}

struct symbols *symbols_make(char *const *maps, size_t count_maps) {
    struct symbols *symbols = memory_zeroed(1, sizeof *symbols);
    symbols->sessions = memory_zeroed(count_maps, sizeof(Dwfl *));
    symbols->count_sessions = count_maps;
    for (size_t i = 0; i < count_maps; i++)
        symbols->sessions[i] = begin_session(maps[count_maps - 1 - i]);
    find_demangler(symbols);
    return symbols;
}

void symbols_free(struct symbols *symbols) {
    for (size_t i = 0; i < symbols->count_sessions; i++) {
        if (symbols->sessions[i])
            dwfl_end(symbols->sessions[i]);
    }
    for (size_t i = 0; i < symbols->count_names; i++)
        free(symbols->names[i]);
    if (symbols->library)
        (void)dlclose(symbols->library);
    free(symbols->names);
    free(symbols->sessions);
    free(symbols);
}

static const char *readable(struct symbols *symbols, const char *name) {
    int status;
    char *made = symbols->demangle && strncmp(name, "_Z", 2) == 0
                     ? symbols->demangle(name, NULL, NULL, &status)
                     : NULL;
    if (!made)
        return name;
    symbols->names = memory_reserve(symbols->names, &symbols->names_capacity,
                                    symbols->count_names + 1, sizeof *symbols->names);
    return symbols->names[symbols->count_names++] = made;
}

static const char *base_name(const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

void symbols_resolve(struct symbols *symbols, struct trace_frame *frame) {
    const Dwarf_Addr address = frame->address - 1; /* within the call */
    Dwfl_Module *module = NULL;
    for (size_t i = 0; i < symbols->count_sessions && !module; i++)
        module = symbols->sessions[i] ? dwfl_addrmodule(symbols->sessions[i], address) : NULL;
    if (!module)
        return;
    const char *name = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    frame->module = base_name(name);
    name = dwfl_module_addrname(module, address);
    if (name)
        frame->function = readable(symbols, name);
    Dwfl_Line *line = dwfl_module_getsrc(module, address);
    int number = 0;
    const char *file = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    if (file) {
        frame->file = file;
        frame->line = number > 0 ? (uint32_t)number : 0;
    }
}
