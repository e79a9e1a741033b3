/*
 * Short-lived small objects: requests come as text, are taken apart into nodes and strings of 8 to
 * 128 bytes, looked at, and forgotten as a whole. What most servers and scripts do most of the
 * time.
 */
#include "workload.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIELDS_LOW = 8,
    FIELDS_HIGH = 40,
    KEY_HIGH = 24,     // characters
    VALUE_HIGH = 120,  // characters
    PER_SCALE = 10000, // requests
};

struct field {
    struct field *next;
    char *key;
    char *value;
};

static char *text_new(struct random *random, size_t length_high) {
    size_t length = random_between(random, 4, length_high);
    char *text = given(malloc(length + 1));
    memset(text, 'a' + (int)random_below(random, 26), length);
    text[length] = '\0';
    return text;
}

static struct field *parse(struct random *random) {
    struct field *first = NULL;
    for (size_t left = random_between(random, FIELDS_LOW, FIELDS_HIGH); left; left--) {
        struct field *field = given(malloc(sizeof(*field)));
        *field = (struct field){first, text_new(random, KEY_HIGH), text_new(random, VALUE_HIGH)};
        first = field;
    }
    return first;
}

// The answer: a line for each field, written to a buffer made for it.
static uint64_t answer(const struct field *first) {
    size_t length = 0;
    for (const struct field *field = first; field; field = field->next)
        length += strlen(field->key) + strlen(field->value) + 2;
    char *reply = given(malloc(length + 1));
    char *at = reply;
    for (const struct field *field = first; field; field = field->next) {
        at = stpcpy(at, field->key);
        *at++ = '=';
        at = stpcpy(at, field->value);
        *at++ = '\n';
    }
    *at = '\0';
    uint64_t checksum = (uint64_t)(unsigned char)reply[length / 2] + length;
    free(reply);
    return checksum;
}

static void forget(struct field *field) {
    while (field) {
        struct field *next = field->next;
        free(field->key);
        free(field->value);
        free(field);
        field = next;
    }
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 1);
    struct random random = random_seeded(1);
    uint64_t checksum = 0;
    for (uint64_t i = 0; i < arguments.scale * PER_SCALE; i++) {
        struct field *fields = parse(&random);
        checksum = checksum * 31 + answer(fields);
        forget(fields);
    }
    return workload_result("short", checksum);
}
