/* stack.c: the stack of the calling thread, by two ways: along the frame pointers, which is quick
 * and right where all code was built with them, and with the unwinder of the compiler's run-time
 * library, which is slow and right almost everywhere.
 */
#include "recorder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

/* ---- Frame pointers ---------------------------------------------------------------------------
 */

/* A number in base 16; *at is behind it. */
static uintptr_t hex(const char **at) {
    uintptr_t value = 0;
    for (;; ++*at) {
        const char c = **at;
        if (c >= '0' && c <= '9')
            value = value * 16 + (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (uintptr_t)(c - 'a' + 10);
        else
            return value;
    }
}

/* The end of the mapping that `address` is in, from /proc/self/maps. `address` itself iff there is
 * none. Lines may be divided between two reads: only their first 40 bytes matter, so the rest of
 * the buffer is moved to its front. */
static uintptr_t mapping_end(uintptr_t address) {
    char text[2048];
    size_t have = 0;
    uintptr_t found = address;
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    for (ssize_t count; fd >= 0 && found == address &&
                        (count = read(fd, text + have, sizeof text - 1 - have)) > 0;) {
        text[have += (size_t)count] = '\0';
        char *line = text;
        for (char *newline; (newline = strchr(line, '\n')) != NULL; line = newline + 1) {
            const char *at = line;
            const uintptr_t start = hex(&at);
            at++;
            const uintptr_t end = hex(&at);
            if (address >= start && address < end)
                found = end;
        }
        have -= (size_t)(line - text);
        memmove(text, line, have);
        if (have == sizeof text - 1)
            have = 0; /* a name longer than the buffer */
    }
    if (fd >= 0)
        (void)close(fd);
    return found;
}

/* Each frame: the caller's frame pointer, then the return address. Pointers go upwards and stay in
 * the stack's mapping; what does neither is no frame. */
size_t stack_by_frames(struct thread *thread, uintptr_t *addresses, size_t most) {
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    if (frame >= thread->stack_end || thread->stack_end - frame > (uintptr_t)1 << 30)
        thread->stack_end = mapping_end(frame);
    size_t count = 0;
    while (count < most && frame % sizeof frame == 0 &&
           frame + 2 * sizeof frame <= thread->stack_end) {
        const uintptr_t *words = (const uintptr_t *)frame;
        if (words[1] < 4096)
            break;
        addresses[count++] = words[1];
        if (words[0] <= frame)
            break;
        frame = words[0];
    }
    return count;
}

/* ---- The unwinder -----------------------------------------------------------------------------
 */

struct walk {
    uintptr_t *addresses;
    size_t count, most;
};

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *argument) {
    struct walk *walk = argument;
    const uintptr_t address = (uintptr_t)_Unwind_GetIP(context);
    if (address < 4096 || walk->count == walk->most)
        return _URC_END_OF_STACK;
    walk->addresses[walk->count++] = address;
    return _URC_NO_REASON;
}

size_t stack_by_unwinding(uintptr_t *addresses, size_t most) {
    struct walk walk = {addresses, 0, most};
    (void)_Unwind_Backtrace(visit, &walk);
    return walk.count;
}
