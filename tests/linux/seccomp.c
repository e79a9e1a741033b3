/* A sandbox that kills on every system call but those of the C library's malloc: allocating,
 * freeing and trimming stay inside it. The purging thread is another matter (clone is exotic), so
 * such a program sets LARDER_BACKGROUND=0, as this one does. */
#include "tap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALLOW(name)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool lock_up(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(mmap),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(mprotect),
        ALLOW(madvise),
        ALLOW(brk),
        ALLOW(futex),
        ALLOW(getrandom),
        ALLOW(write),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool allocate_and_free(void) {
    enum { COUNT = 3000 };
    static char *blocks[COUNT];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            blocks[i] = malloc(i * 37 % 100000);
            if (!blocks[i])
                return false;
            memset(blocks[i], 1, i * 37 % 100000);
        }
        for (unsigned i = 0; i < COUNT; i++)
            blocks[i] = realloc(blocks[i], i * 101 % 200000 + 1);
        for (unsigned i = 0; i < COUNT; i++)
            free(blocks[i]);
        free(calloc(1, (size_t)64 << 20));
    }
    return true;
}

static _Noreturn void inside(bool then_trims) {
    if (!lock_up())
        _exit(77);
    bool good = allocate_and_free();
    if (then_trims)
        (void)malloc_trim(0);
    _exit(good && allocate_and_free() ? 0 : 1);
}

static void stays(bool then_trims) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0)
        inside(then_trims);
    EXPECT(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        tap_skip("no filter of system calls may be set here");
        return;
    }
    if (!EXPECT(status == 0))
        tap_note("status %#x", status);
}

static void allocating_stays_in_the_sandbox(void) {
    stays(false);
}

static void trimming_stays_in_the_sandbox(void) {
    stays(true);
}

static const struct tap_test tests[] = {
    TAP_TEST(allocating_stays_in_the_sandbox),
    TAP_TEST(trimming_stays_in_the_sandbox),
};

int main(int argc, char **argv) {
    (void)argc;
    (void)setenv("LARDER_BACKGROUND", "0", 1);
    return tap_main(argv, tests, sizeof tests / sizeof tests[0]);
}
