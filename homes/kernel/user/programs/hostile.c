/* hostile: everything a process may try against the kernel, each in a child of its own: a system
 * call must say that an argument is wrong, an access that is not permitted must end the child
 * alone. Exit code: how many did not come out as they should. */
#include "user.h"

#define KERNEL_LINEAR 0xffff000000080000ul
#define KERNEL_IMAGE 0xffffffff80000000ul
#define USER_TOP (1ul << 39)
#define PAGE 4096u

static unsigned wrong;

static void expect(const char *what, int64_t got, int64_t expected) {
    if (got == expected)
        return;
    printf("hostile: %s: %ld, not %ld\n", what, got, expected);
    wrong++;
}

/* Run in a child, which must end like this. */
static void expect_end(const char *what, void (*attack)(void), int32_t how) {
    int64_t child = fork();
    int32_t status = 0;

    if (child == 0) {
        attack();
        end(99);
    }
    if (child < 0 || wait((uint32_t)child, &status) != child)
        status = 1000;
    expect(what, status, how);
}

static void *hide(uint64_t address) {
    void *pointer = (void *)address;

    __asm__("" : "+r"(pointer));
    return pointer;
}

/* ---- Accesses -------------------------------------------------------------------------------- */

static void read_at(uint64_t address) {
    (void)*(volatile unsigned char *)hide(address);
}
static void write_at(uint64_t address) {
    *(volatile unsigned char *)hide(address) = 1;
}
static void call_at(uint64_t address) {
    ((void (*)(void))hide(address))();
}

static void read_null(void) {
    read_at(0);
}
static void read_linear(void) {
    read_at(KERNEL_LINEAR);
}
static void read_image(void) {
    read_at(KERNEL_IMAGE);
}
static void read_top(void) {
    read_at(UINT64_MAX);
}
static void read_hole(void) {
    read_at(0x0000ffff00000000ul);
}
static void read_beyond(void) {
    read_at(USER_TOP);
}
static void write_kernel(void) {
    write_at(KERNEL_IMAGE + PAGE);
}
static void call_kernel(void) {
    call_at(KERNEL_IMAGE);
}
static void call_odd(void) {
    call_at((uint64_t)main + 2);
}
static void call_null(void) {
    call_at(0);
}
static void write_code(void) {
    write_at((uint64_t)main);
}
static void write_constant(void) {
    write_at((uint64_t) "text");
}
static uint32_t ret_data = 0xd65f03c0u;
static void call_data(void) {
    call_at((uint64_t)&ret_data);
}
static void call_stack(void) {
    volatile uint32_t ret_stack = 0xd65f03c0u;

    call_at((uint64_t)&ret_stack);
}

static volatile unsigned limit = UINT32_MAX;
static __attribute__((noinline)) unsigned recurse(unsigned depth) {
    volatile unsigned here[64];

    here[depth % 64] = depth;
    return depth == limit ? 0 : recurse(depth + 1) + here[depth % 64];
}
static void overflow_stack(void) {
    (void)recurse(0);
}
static void no_stack(void) {
    __asm__ volatile("mov sp, %0\n\tstr xzr, [sp, #-16]!" ::"r"(0ul));
}

/* ---- Instructions ---------------------------------------------------------------------------- */

static void undefined(void) {
    __asm__ volatile(".inst 0");
}
static void breakpoint(void) {
    __asm__ volatile("brk #1");
}
static void hypervisor(void) {
    __asm__ volatile("hvc #0");
}
static void monitor(void) {
    __asm__ volatile("smc #0");
}
static void read_table(void) {
    uint64_t value;

    __asm__ volatile("mrs %0, ttbr0_el1" : "=r"(value));
}
static void write_vectors(void) {
    __asm__ volatile("msr vbar_el1, %0" ::"r"(0ul));
}
static void mask_interrupts(void) {
    __asm__ volatile("msr daifset, #15");
}
static void own_timer(void) {
    __asm__ volatile("msr cntv_ctl_el0, %0" ::"r"(0ul));
}
static void vector_registers(void) {
    __asm__ volatile(".inst 0x1e2703e0"); /* fmov s0, wzr */
}
static void forget_tlb(void) {
    __asm__ volatile("tlbi vmalle1");
}
static void unaligned_exclusive(void) {
    static uint64_t words[3];

    __asm__ volatile("ldxr x9, [%0]" ::"r"((unsigned char *)words + 3) : "x9", "memory");
}

/* What the kernel had in its registers is nowhere to be found. */
static void registers_are_clean(void) {
    uint64_t value, other;

    __asm__ volatile("mrs %0, tpidr_el0\n\tmrs %1, tpidrro_el0" : "=r"(value), "=r"(other));
    end(value != 0 || other != 0);
}

static const struct {
    const char *what;
    void (*attack)(void);
    int32_t how;
} attacks[] = {
    {"read at 0", read_null, DEATH_FAULT},
    {"read the linear map", read_linear, DEATH_FAULT},
    {"read the kernel's image", read_image, DEATH_FAULT},
    {"read the last byte", read_top, DEATH_FAULT},
    {"read between the halves", read_hole, DEATH_FAULT},
    {"read beyond the end", read_beyond, DEATH_FAULT},
    {"write the kernel", write_kernel, DEATH_FAULT},
    {"call the kernel", call_kernel, DEATH_FAULT},
    {"call an odd address", call_odd, DEATH_ILLEGAL},
    {"call 0", call_null, DEATH_FAULT},
    {"write code", write_code, DEATH_FAULT},
    {"write a constant", write_constant, DEATH_FAULT},
    {"call data", call_data, DEATH_FAULT},
    {"call the stack", call_stack, DEATH_FAULT},
    {"overflow the stack", overflow_stack, DEATH_FAULT},
    {"no stack at all", no_stack, DEATH_FAULT},
    {"an undefined instruction", undefined, DEATH_ILLEGAL},
    {"brk", breakpoint, DEATH_ILLEGAL},
    {"hvc", hypervisor, DEATH_ILLEGAL},
    {"smc", monitor, DEATH_ILLEGAL},
    {"read TTBR0", read_table, DEATH_ILLEGAL},
    {"write VBAR", write_vectors, DEATH_ILLEGAL},
    {"mask interrupts", mask_interrupts, DEATH_ILLEGAL},
    {"the timer", own_timer, DEATH_ILLEGAL},
    {"vector registers", vector_registers, DEATH_ILLEGAL},
    {"flush the TLB", forget_tlb, DEATH_ILLEGAL},
    {"an unaligned exclusive", unaligned_exclusive, DEATH_FAULT},
    {"leftovers of the kernel", registers_are_clean, 0},
};

/* ---- System calls ---------------------------------------------------------------------------- */

static const uint64_t bad_pointers[] = {1,
                                        PAGE,
                                        0x27f000,
                                        USER_TOP - 8,
                                        USER_TOP,
                                        0x0000ffffffffffff,
                                        KERNEL_LINEAR,
                                        KERNEL_IMAGE,
                                        UINT64_MAX - 7,
                                        UINT64_MAX};

static void pointers_to_calls(void) {
    char *arguments[] = {"hello", NULL};

    for (unsigned i = 0; i < sizeof bad_pointers / sizeof *bad_pointers; i++) {
        uint64_t bad = bad_pointers[i];

        expect("write", write_text((void *)bad, 8), -ERROR_FAULT);
        expect("read", read_text((void *)bad, 8), -ERROR_FAULT);
        expect("meminfo", meminfo((void *)bad), -ERROR_FAULT);
        expect("wait", wait(0, (void *)bad), -ERROR_FAULT);
        expect("exec, name", exec((void *)bad, arguments), -ERROR_FAULT);
        expect("exec, arguments", exec("hello", (void *)bad), -ERROR_FAULT);
        arguments[0] = (void *)bad;
        expect("exec, an argument", exec("hello", arguments), -ERROR_FAULT);
        arguments[0] = "hello";
    }
    expect("meminfo into code", meminfo((void *)(uint64_t)main), -ERROR_FAULT);
    expect("read into code", read_text((void *)(uint64_t)main, 8), -ERROR_FAULT);
}

static void numbers_to_calls(void) {
    expect("no such call", system_call(SYSCALL_COUNT, 0, 0, 0), -ERROR_NO_CALL);
    expect("no such call", system_call(UINT64_MAX, 0, 0, 0), -ERROR_NO_CALL);
    expect("mmap 0", system_call(SYSCALL_MMAP, 0, 0, 3), -ERROR_INVALID);
    expect("mmap everything", system_call(SYSCALL_MMAP, 0, UINT64_MAX, 3), -ERROR_INVALID);
    expect("mmap more than there is", system_call(SYSCALL_MMAP, 0, USER_TOP, 3), -ERROR_NO_MEMORY);
    expect("mmap unaligned", system_call(SYSCALL_MMAP, USER_TOP / 2 + 1, PAGE, 3), -ERROR_INVALID);
    expect("mmap over the program", system_call(SYSCALL_MMAP, 0x300000, PAGE, 3), -ERROR_INVALID);
    expect("mmap over the end", system_call(SYSCALL_MMAP, USER_TOP - PAGE, 2 * PAGE, 3),
           -ERROR_INVALID);
    expect("mmap of the kernel", system_call(SYSCALL_MMAP, KERNEL_IMAGE, PAGE, 3), -ERROR_INVALID);
    expect("mmap W and X",
           system_call(SYSCALL_MMAP, 0, PAGE, PROTECTION_WRITE | PROTECTION_EXECUTE),
           -ERROR_INVALID);
    expect("mmap a strange protection", system_call(SYSCALL_MMAP, 0, PAGE, 1ul << 32),
           -ERROR_INVALID);
    expect("munmap the kernel", munmap((void *)KERNEL_IMAGE, PAGE), -ERROR_INVALID);
    expect("munmap unaligned", munmap((void *)1, PAGE), -ERROR_INVALID);
    expect("munmap 0", munmap((void *)PAGE, 0), -ERROR_INVALID);
    expect("munmap everything", munmap(NULL, UINT64_MAX), -ERROR_INVALID);
    expect("mprotect nothing", mprotect((void *)PAGE, PAGE, 1), -ERROR_INVALID);
    expect("mprotect the guard", mprotect((void *)0x27f000, PAGE, PROTECTION_WRITE),
           -ERROR_INVALID);
    expect("mprotect W and X", mprotect((void *)0x300000, PAGE, 7), -ERROR_INVALID);
    expect("purge nothing", purge((void *)PAGE, PAGE), -ERROR_INVALID);
    expect("purge a constant", purge((void *)0x300000, PAGE), -ERROR_INVALID);
    expect("purge the kernel", purge((void *)KERNEL_IMAGE, PAGE), -ERROR_INVALID);
    expect("purge everything", purge(NULL, UINT64_MAX), -ERROR_INVALID);
    expect("brk to the kernel", (int64_t)brk(KERNEL_IMAGE), (int64_t)brk(0));
    expect("kill nobody", kill(UINT32_MAX), -ERROR_NO_PROCESS);
    expect("wait for a stranger", wait(1, NULL), -ERROR_NO_CHILD);
    expect("exec nothing", exec("", NULL), -ERROR_FAULT);
}

/* Once around: code that was written is executed only when it can no longer be written. */
static void written_code(void) {
    uint32_t *code = map(PAGE);

    code[0] = 0x52800540; /* mov w0, #42 */
    code[1] = 0xd65f03c0; /* ret */
    expect("mprotect to execute", mprotect(code, PAGE, PROTECTION_EXECUTE), 0);
    expect("code that was written", ((int (*)(void))code)(), 42);
    munmap(code, PAGE);
}

int main(int argc, char **argv) {
    (void)argc, (void)argv;
    for (unsigned i = 0; i < sizeof attacks / sizeof *attacks; i++)
        expect_end(attacks[i].what, attacks[i].attack, attacks[i].how);
    pointers_to_calls();
    numbers_to_calls();
    written_code();
    printf("hostile: %u of %zu attacks and the calls came out wrong\n", wrong,
           sizeof attacks / sizeof *attacks);
    return (int)wrong;
}
