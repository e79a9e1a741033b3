/* run.c: commands that put the machine to work, and those that end its run. */
#include "command.h"
#include "kerneltest.h"
#include "stress.h"

#include "larder/stats.h"

#define STRESS_SECONDS_MAX 3600u
#define STRESS_SIZE_MAX ((size_t)256 << 10)

/* ---- stress ---------------------------------------------------------------------------------- */

static void show_counts(const char *what, const struct block_counts *counts) {
    printf("  %-10s %9lu taken, %9lu freed, %7lu refused, %lu damaged\n", what, counts->taken,
           counts->given, counts->refused, counts->damaged);
    if (counts->damaged > 0)
        printf("  the last damage is at 0x%lx\n", counts->damage_address);
}

static void show_stress(const struct stress_result *result) {
    if (!result->ran) {
        printf("There is no memory for the workers.\n");
        return;
    }
    show_counts("programs", &result->work);
    show_counts("interrupts", &result->interrupt);
    printf("  %lu operations in %lu ms, %lu ticks on %u CPUs, %lu blocks changed hands\n",
           result->operations, result->elapsed_us / 1000, result->ticks, result->cpus_ticked,
           result->exchanged);
    printf(stress_passed(result) ? "passed: nothing damaged, nothing lost\n" : "FAILED\n");
}

static void run_stress(unsigned count, char **word) {
    uint64_t seconds, cpus = cpu_count();
    struct stress_result result;
    if (!command_number("SECONDS", word[1], 1, STRESS_SECONDS_MAX, &seconds) ||
        (count > 2 && !command_number("CPUS", word[2], 1, cpu_count(), &cpus)))
        return;
    printf("%lu s on %lu CPUs; ctrl-c ends it.\n", seconds, cpus);
    struct stress_config config = {.cpus = (unsigned)cpus,
                                   .limit_us = seconds * 1000000,
                                   .size_max_bytes = STRESS_SIZE_MAX,
                                   .interrupts = true,
                                   .seed = clock_us() | 1,
                                   .stop = shell_interrupted};
    stress_run(&config, &result);
    show_stress(&result);
}

/* ---- check, demo, test ----------------------------------------------------------------------- */

static void run_check(unsigned count, char **word) {
    struct larder_fatal fatal;
    uint64_t begin_us = clock_us();
    (void)count, (void)word;
    bool good = larder_validate(kernel_larder, &fatal);
    uint64_t elapsed_us = clock_us() - begin_us;
    if (!good)
        larder_fatal_write(&fatal, &shell_terminal.sink);
    printf("%s (%lu.%03lu ms)\n",
           good ? "Every layer was walked, every equation holds." : "An equation does not hold.",
           elapsed_us / 1000, elapsed_us % 1000);
}

static void run_demo(unsigned count, char **word) {
    (void)count, (void)word;
    (void)demonstration_run();
}

static void run_test(unsigned count, char **word) {
    (void)kerneltest_run(count > 1 ? word[1] : "all");
}

/* ---- The machine ----------------------------------------------------------------------------- */

static void run_clear(unsigned count, char **word) {
    (void)count, (void)word;
    printf("\033[H\033[2J");
}

static void run_reboot(unsigned count, char **word) {
    (void)count, (void)word;
    printf("Starting again.\n");
    machine_reboot();
}

static void run_poweroff(unsigned count, char **word) {
    (void)count, (void)word;
    printf("Good bye.\n");
    machine_poweroff();
}

static const struct command commands[] = {
    {"stress", "SECONDS [CPUS]", "every core takes, checks, gives back memory",
     "Timer interrupts do the same on every core meanwhile. Contents are checked.\n", 2, 3,
     OPERAND_NONE, run_stress},
    {"check", "", "walk every layer, check every equation", NULL, 1, 1, OPERAND_NONE, run_check},
    {"demo", "", "the demonstration", NULL, 1, 1, OPERAND_NONE, run_demo},
    {"test", "[NAMES]", "the in-kernel tests, all or some",
     "NAMES are separated by commas, or BEGINNING*. Those that begin with fatal- end the "
     "machine.\n",
     1, 2, OPERAND_TEST, run_test},
    {"clear", "", "clear the screen", NULL, 1, 1, OPERAND_NONE, run_clear},
    {"reboot", "", "start again", NULL, 1, 1, OPERAND_NONE, run_reboot},
    {"poweroff", "", "switch the machine off; ends the emulator", NULL, 1, 1, OPERAND_NONE,
     run_poweroff},
};

const struct command_table run_commands = {"Work, and the machine", commands,
                                           sizeof(commands) / sizeof(commands[0])};
