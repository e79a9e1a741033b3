/* sanitizer.c: what the thread sanitizer must be told of the Linux home. Nothing in other builds.
 */
#ifdef __SANITIZE_THREAD__

#include "larder/larder.h"
#include "larder/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *__tsan_default_options(void);

const char *__tsan_default_options(void) {
    return "halt_on_error=1:report_thread_leaks=0:history_size=7";
}

/* ---- races by design: the linker calls these in place of the functions (-wrap) ---- */

void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

void __real_larder_slot_withdraw(struct larder *larder, struct larder_slot *slot);
void __real_larder_block_at(struct larder *larder, const void *pointer, struct larder_block *block);
void __wrap_larder_slot_withdraw(struct larder *larder, struct larder_slot *slot);
void __wrap_larder_block_at(struct larder *larder, const void *pointer, struct larder_block *block);

/* Exchanges pointers under the fast path of the slot's thread, which may go on with what it has
 * found (core/slots.c says why that is right). */
void __wrap_larder_slot_withdraw(struct larder *larder, struct larder_slot *slot) {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    __real_larder_slot_withdraw(larder, slot);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

/* Reads a heap at work as it looks (core/blocks.c). */
void __wrap_larder_block_at(struct larder *larder, const void *pointer,
                            struct larder_block *block) {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    __real_larder_block_at(larder, pointer, block);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

/* ---- a system call that means something else here ---- */

/* A thread that is asleep in a system call is outside the allocator: so the library reads from
 * /proc and empties its magazines for it. Here that is not so, because the sanitizer sleeps in
 * calls of its own; so nobody is seen asleep, as where there is no /proc, and each empties itself.
 */
int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const unsigned mode = flags & O_CREAT ? va_arg(more, unsigned) : 0;
    va_end(more);
    if (strncmp(path, "/proc/self/task/", 16) == 0) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#else
typedef int sanitizer_none;
#endif
