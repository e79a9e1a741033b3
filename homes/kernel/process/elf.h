/* elf.h: programs: static ELF files that lie in the kernel image. */
#ifndef PROCESS_ELF_H
#define PROCESS_ELF_H

#include "space.h"

struct program {
    const char *name;
    const unsigned char *file; /* page-aligned; up to the next page there is nothing else */
    uint64_t bytes;
};

/* Made by kernel.mk out of homes/kernel/user/programs; ended by an entry without a name. */
extern const struct program programs[];

/* NULL iff there is none of this name. */
const struct program *program_find(const char *name);

/* Put the program's segments into an empty address space, and a stack with its guard; *entry is
 * where it begins. 0; -ERROR_BAD_PROGRAM iff it is no static program for arm64, its segments are
 * not whole pages apart, or one is writable and executable; -ERROR_NO_MEMORY. */
int64_t elf_load(struct space *space, const unsigned char *file, uint64_t bytes, uint64_t *entry);

#endif
