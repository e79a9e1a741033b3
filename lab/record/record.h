/* record.h: run a program and record what it does with memory. */
#ifndef LAB_RECORD_RECORD_H
#define LAB_RECORD_RECORD_H

#include "record/preload/channel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct record_options {
    const char *output_path; /* of the program's trace; others have their number in the name */
    enum channel_stacks stacks;
    uint32_t sample_every; /* the whole stack of one allocation in so many, from 1 on */
    bool is_quiet;         /* say nothing of what was recorded, only of what went wrong */
    bool is_unresolved;    /* leave call sites as addresses */
    bool is_one;           /* only the program's own process */
};

/* The program, when it has ended. */
struct record_ended {
    pid_t pid;       /* 0: none was started */
    uint64_t cpu_ns; /* of it and of the children it waited for */
};

static inline uint64_t record_cpu_ns(const struct rusage *usage) {
    const uint64_t seconds = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec);
    return seconds * 1000000000u +
           (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000u;
}

/* Run it to its end, in the environment there is, and record it. The exit code a shell would give;
 * EXIT_TROUBLE, which has been said, iff nothing could be recorded or written. SIGINT and SIGQUIT
 * are ignored from then on. */
int record_program(const struct record_options *options, char **argv, struct record_ended *ended);

/* A word of --stacks. False iff it is none; says so with say_usage(). */
bool record_read_stacks(const char *word, enum channel_stacks *stacks);

#endif
