/* intern.h: equal byte strings get equal numbers, from 1 on in the order in which they come. A hash
 * table with open addressing over one store of bytes. */
#ifndef LAB_TRACE_INTERN_H
#define LAB_TRACE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of zeros is empty. */
struct intern {
    char *bytes; /* all strings, each with a zero behind it */
    size_t count_bytes, bytes_capacity;
    size_t *starts; /* of string n at [n - 1], and the end of the last */
    size_t starts_capacity;
    uint32_t count;
    uint32_t *slots; /* numbers; 0: empty. At most half of them full */
    size_t count_slots;
};

void intern_free(struct intern *intern);

/* Its number; *is_new iff it was not there before. */
uint32_t intern_number(struct intern *intern, const void *bytes, size_t count, bool *is_new);

/* The string of a number that was given. Moves with the next new one. */
const char *intern_bytes(const struct intern *intern, uint32_t number, size_t *count);

#endif
