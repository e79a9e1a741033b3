/* json.h: write one JSON document, value by value. Commas and quoting are kept by the writer; that
 * every object and array is ended is the caller's. Text that is no UTF-8 becomes U+FFFD; '<' is
 * escaped, so that a document can lie inside HTML. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *file;
    bool wants_comma;
};

/* `name`: of the member in an object; NULL in an array. */
void json_begin_object(struct json *json, const char *name);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *name);
void json_end_array(struct json *json);

void json_text(struct json *json, const char *name, const char *text);
void json_number(struct json *json, const char *name, uint64_t number);
void json_signed(struct json *json, const char *name, int64_t number);
void json_bool(struct json *json, const char *name, bool is_true);
void json_nothing(struct json *json, const char *name);

/* A whole array. */
void json_numbers(struct json *json, const char *name, const uint64_t *number, size_t count);

#endif
