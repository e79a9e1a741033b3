/* heaptrack.c: heaptrack's files, numbers hexadecimal. Raw (heaptrack --raw) has the calls:
 *
 *   t ADDRESS PARENT         a call stack; stacks are numbered from 1
 *   + SIZE STACK POINTER     - POINTER
 *
 * Interpreted has names, and only classes of blocks:
 *
 *   s LENGTH TEXT            i ADDRESS MODULE [FUNCTION FILE LINE]…     t FRAME PARENT
 *   a SIZE STACK             a class, from 0     + CLASS     - CLASS
 *
 * Which block of a class is freed is not known; the oldest is taken, and the trace says so. Both:
 *   v, X command, I page size, c ms, R resident pages.
 */
#include "import/import.h"
#include "trace/memory.h"
#include "trace/site_table.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_LENGTHS_SINCE = 3, STACK_DEPTH_MAX = 256 };

struct stack {
    uint64_t frame; /* an address (raw), or the number of a frame */
    uint32_t parent, site;
};

/* The live blocks of a class: a queue of names. */
struct block_class {
    uint64_t size_bytes;
    uint32_t stack;
    uint64_t *names;
    size_t first, count, capacity;
};

struct heaptrack {
    struct import *import;
    char **texts;
    struct trace_frame *frames;
    struct stack *stacks;
    struct block_class *classes;
    size_t count_texts, texts_capacity, count_frames, frames_capacity;
    size_t count_stacks, stacks_capacity, count_classes, classes_capacity;
    uint64_t version, page_bytes, time_ns, next_name;
    char *program;
    bool is_raw;
};

static bool is_heaptrack(const char *head, size_t count) {
    uint64_t version, file_version;
    (void)count;
    return head[0] == 'v' && head++ && word_hex(&head, &version) && version >= 0x10000 &&
           word_hex(&head, &file_version) && *head == '\n';
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void read_text(struct heaptrack *heaptrack, const char *at) {
    uint64_t length;
    if (heaptrack->version >= TEXT_LENGTHS_SINCE && word_hex(&at, &length))
        at += *at == ' ';
    else
        at += *at == ' ';
    heaptrack->texts = memory_reserve(heaptrack->texts, &heaptrack->texts_capacity,
                                      heaptrack->count_texts + 1, sizeof *heaptrack->texts);
    heaptrack->texts[heaptrack->count_texts++] = memory_text(at, strlen(at));
}

static const char *text_of(const struct heaptrack *heaptrack, uint64_t number) {
    return number > 0 && number <= heaptrack->count_texts ? heaptrack->texts[number - 1] : "";
}

static void read_frame(struct heaptrack *heaptrack, const char *at) {
    uint64_t address = 0, module = 0, function = 0, file = 0, line = 0;
    (void)(word_hex(&at, &address) && word_hex(&at, &module) && word_hex(&at, &function) &&
           word_hex(&at, &file) && word_hex(&at, &line));
    const char *path = text_of(heaptrack, module), *slash = strrchr(path, '/');
    heaptrack->frames = memory_reserve(heaptrack->frames, &heaptrack->frames_capacity,
                                       heaptrack->count_frames + 1, sizeof *heaptrack->frames);
    heaptrack->frames[heaptrack->count_frames++] =
        (struct trace_frame){.address = address,
                             .function = text_of(heaptrack, function),
                             .file = text_of(heaptrack, file),
                             .line = (uint32_t)line,
                             .module = slash ? slash + 1 : path};
}

static bool read_stack(struct heaptrack *heaptrack, const char *at) {
    struct stack stack = {.site = 0};
    uint64_t parent;
    if (!word_hex(&at, &stack.frame) || !word_hex(&at, &parent) || parent > heaptrack->count_stacks)
        return import_fail(heaptrack->import, "a stack's parent is not there");
    stack.parent = (uint32_t)parent;
    heaptrack->stacks = memory_reserve(heaptrack->stacks, &heaptrack->stacks_capacity,
                                       heaptrack->count_stacks + 1, sizeof *heaptrack->stacks);
    heaptrack->stacks[heaptrack->count_stacks++] = stack;
    return true;
}

/* The call site of a stack. Made when it is first used: then its frames have names. */
static uint32_t site_of(struct heaptrack *heaptrack, uint64_t number) {
    struct trace_frame frames[STACK_DEPTH_MAX];
    size_t count = 0;
    if (number == 0 || number > heaptrack->count_stacks)
        return 0;
    struct stack *first = &heaptrack->stacks[number - 1];
    for (const struct stack *stack = first; !first->site && count < STACK_DEPTH_MAX;) {
        if (heaptrack->is_raw)
            frames[count++] = (struct trace_frame){.address = stack->frame};
        else if (stack->frame > 0 && stack->frame <= heaptrack->count_frames)
            frames[count++] = heaptrack->frames[stack->frame - 1];
        if (stack->parent == 0)
            break;
        stack = &heaptrack->stacks[stack->parent - 1]; /* always an earlier one */
    }
    if (!first->site)
        first->site = trace_writer_site(heaptrack->import->writer, frames, count);
    return first->site;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static void put(struct heaptrack *heaptrack, enum trace_kind kind, uint64_t size_bytes,
                uint64_t stack, uint64_t pointer) {
    const struct trace_event event = {.kind = kind,
                                      .site = site_of(heaptrack, stack),
                                      .time_ns = heaptrack->time_ns,
                                      .size_bytes = size_bytes};
    import_event(heaptrack->import, &event, pointer, 0);
}

static bool read_class(struct heaptrack *heaptrack, const char *at) {
    struct block_class class = {.names = NULL};
    uint64_t stack;
    if (!word_hex(&at, &class.size_bytes) || !word_hex(&at, &stack))
        return import_fail(heaptrack->import, "a class is a size and a stack");
    class.stack = (uint32_t)stack;
    heaptrack->classes = memory_reserve(heaptrack->classes, &heaptrack->classes_capacity,
                                        heaptrack->count_classes + 1, sizeof *heaptrack->classes);
    heaptrack->classes[heaptrack->count_classes++] = class;
    return true;
}

static void push_name(struct block_class *class, uint64_t name) {
    if (class->first > class->count / 2 && class->first > 16) {
        memmove(class->names, class->names + class->first,
                (class->count - class->first) * sizeof *class->names);
        class->count -= class->first;
        class->first = 0;
    }
    class->names =
        memory_reserve(class->names, &class->capacity, class->count + 1, sizeof *class->names);
    class->names[class->count++] = name;
}

static bool put_of_class(struct heaptrack *heaptrack, char what, const char *at) {
    uint64_t number;
    if (!word_hex(&at, &number) || number >= heaptrack->count_classes)
        return import_fail(heaptrack->import, "there is no such class of blocks");
    struct block_class *class = &heaptrack->classes[number];
    if (what == '+') {
        push_name(class, ++heaptrack->next_name);
        put(heaptrack, TRACE_MALLOC, class->size_bytes, class->stack, heaptrack->next_name);
    } else {
        const uint64_t name = class->first < class->count ? class->names[class->first++] : 0;
        put(heaptrack, TRACE_FREE, 0, 0, name);
    }
    return true;
}

static bool put_raw(struct heaptrack *heaptrack, char what, const char *at) {
    uint64_t first, stack, pointer;
    if (!word_hex(&at, &first))
        return import_fail(heaptrack->import, "a number is missing");
    if (what == '-')
        put(heaptrack, TRACE_FREE, 0, 0, first);
    else if (word_hex(&at, &stack) && word_hex(&at, &pointer))
        put(heaptrack, TRACE_MALLOC, first, stack, pointer);
    else
        return import_fail(heaptrack->import, "not + SIZE STACK POINTER");
    return true;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static bool begin(struct heaptrack *heaptrack) {
    const struct trace_info info = {
        .program = heaptrack->program,
        .recorded_by = "larder import heaptrack",
        .note = heaptrack->is_raw
                    ? "a realloc is a free and a malloc; times are in steps of 10 ms"
                    : "interpreted by heaptrack: blocks of equal size and stack are freed oldest "
                      "first, whichever it was; a realloc is a free and a malloc; times are in "
                      "steps of 10 ms",
        .page_bytes = heaptrack->page_bytes,
        .has_time = true,
        .has_sites = true};
    return heaptrack->import->writer || import_begin(heaptrack->import, &info);
}

static bool read_block_line(struct heaptrack *heaptrack, const char *line) {
    uint64_t number = 0;
    const char *at = line + 1;
    if (!begin(heaptrack))
        return false;
    switch (line[0]) {
    case 'c':
        if (word_hex(&at, &number) && number < UINT64_MAX / 1000000)
            heaptrack->time_ns = number * 1000000;
        return true;
    case 'R':
        if (word_hex(&at, &number) && heaptrack->page_bytes)
            put(heaptrack, TRACE_RESIDENT, number * heaptrack->page_bytes, 0, 0);
        return true;
    default:
        return heaptrack->is_raw ? put_raw(heaptrack, line[0], line + 1)
                                 : put_of_class(heaptrack, line[0], line + 1);
    }
}

static bool read_line(struct heaptrack *heaptrack, const char *line) {
    const char *at = line + 1;
    switch (line[0]) {
    case 'v':
        (void)(word_hex(&at, &heaptrack->version) && word_hex(&at, &heaptrack->version));
        return true;
    case 'X':
        free(heaptrack->program);
        heaptrack->program =
            memory_text(line + 1 + (line[1] == ' '), strlen(line + 1 + (line[1] == ' ')));
        return true;
    case 'I':
        (void)word_hex(&at, &heaptrack->page_bytes);
        return true;
    case 'm': /* the modules with their addresses: only raw files have them */
        heaptrack->is_raw = true;
        return true;
    case 's':
        read_text(heaptrack, at);
        return true;
    case 'i':
        read_frame(heaptrack, at);
        return true;
    case 't':
        return read_stack(heaptrack, at);
    case 'a':
        return read_class(heaptrack, at);
    case '+':
    case '-':
    case 'c':
    case 'R':
        return read_block_line(heaptrack, line);
    default:
        return true; /* comments, and what later versions add */
    }
}

static void free_all(struct heaptrack *heaptrack) {
    for (size_t i = 0; i < heaptrack->count_texts; i++)
        free(heaptrack->texts[i]);
    for (size_t i = 0; i < heaptrack->count_classes; i++)
        free(heaptrack->classes[i].names);
    free(heaptrack->texts);
    free(heaptrack->frames);
    free(heaptrack->stacks);
    free(heaptrack->classes);
    free(heaptrack->program);
}

/* Is it raw? Known from the lines of modules, which come before anything that is written. */
static bool run(struct import *import) {
    struct heaptrack heaptrack = {.import = import};
    size_t count;
    const char *head = input_peek(import->input, &count);
    heaptrack.is_raw = memmem(head, count, "\nm ", 3) != NULL;
    bool is_good = true;
    for (const char *line; is_good && (line = import_line(import)) != NULL;)
        is_good = read_line(&heaptrack, line);
    free_all(&heaptrack);
    return is_good;
}

const struct importer heaptrack_importer = {
    .name = "heaptrack",
    .summary = "heaptrack, raw (exact) or interpreted (.gz, .zst)",
    .is_it = is_heaptrack,
    .run = run,
};
