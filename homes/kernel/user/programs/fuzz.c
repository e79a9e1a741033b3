/* fuzz [CALLS [SEED]]: system calls with random numbers and arguments, in children that are
 * replaced as they end. Nothing may come of it but errors and deaths. */
#include "user.h"

#define CALLS_DEFAULT 2000u
#define CALLS_OF_A_CHILD 200u

static uint64_t random;

/* What programs pass, and its neighbourhood: small, aligned, at the ends, or anything. */
static uint64_t argument(void) {
    uint64_t value = random_next(&random);
    uint64_t place = random_next(&random);

    switch (place % 8) {
    case 0:
        return value % 8;
    case 1:
        return value % 64 * 4096;
    case 2:
        return 0x27f000 + value % 256 * 4096;
    case 3:
        return (64ul << 30) + value % 256 * 4096;
    case 4:
        return (1ul << 39) - value % 8192;
    case 5:
        return 0xffff000000000000ul + value % (1ul << 32);
    case 6:
        return -value % 4096;
    default:
        return value;
    }
}

/* Not those that wait, or end what is not ours; and not much to say. */
static bool is_tame(uint64_t number) {
    return number != SYSCALL_EXIT && number != SYSCALL_READ && number != SYSCALL_SLEEP &&
           number != SYSCALL_KILL && number != SYSCALL_WRITE;
}

static void child(uint64_t calls) {
    for (uint64_t i = 0; i < calls; i++) {
        uint64_t number = random_next(&random) % (SYSCALL_COUNT + 1);

        if (number == SYSCALL_FORK) {
            if (fork() == 0)
                end(0);
            (void)wait(0, NULL);
        } else if (is_tame(number)) {
            (void)system_call(number, argument(), argument(), argument());
        }
    }
    end(0);
}

int main(int argc, char **argv) {
    uint64_t calls = argc > 1 ? size_of_text(argv[1]) : CALLS_DEFAULT;
    unsigned died = 0, children = 0;

    random = argc > 2 ? size_of_text(argv[2]) : 1;
    for (; calls > 0; calls -= calls < CALLS_OF_A_CHILD ? calls : CALLS_OF_A_CHILD) {
        int32_t status = 0;

        (void)random_next(&random);
        if (fork() == 0)
            child(calls < CALLS_OF_A_CHILD ? calls : CALLS_OF_A_CHILD);
        if (wait(0, &status) > 0)
            children++;
        died += status != 0;
    }
    printf("fuzz: %u children, %u of them died\n", children, died);
    return 0;
}
