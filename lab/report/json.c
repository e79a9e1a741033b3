/* json.c: see json.h. */
#include "json.h"

#include <inttypes.h>

static void quote(FILE *file, const char *text);

static void begin_value(struct json *json, const char *name) {
    if (json->wants_comma)
        (void)fputc(',', json->file);
    if (name) {
        quote(json->file, name);
        (void)fputc(':', json->file);
    }
    json->wants_comma = true;
}

static void begin(struct json *json, const char *name, char mark) {
    begin_value(json, name);
    (void)fputc(mark, json->file);
    json->wants_comma = false;
}

static void end(struct json *json, char mark) {
    (void)fputc(mark, json->file);
    json->wants_comma = true;
}

void json_begin_object(struct json *json, const char *name) {
    begin(json, name, '{');
}

void json_end_object(struct json *json) {
    end(json, '}');
}

void json_begin_array(struct json *json, const char *name) {
    begin(json, name, '[');
}

void json_end_array(struct json *json) {
    end(json, ']');
}

/* ---- text ------------------------------------------------------------------------------------ */

static unsigned count_following(unsigned char first) {
    return first < 0x80   ? 0
           : first < 0xc2 ? 4
           : first < 0xe0 ? 1
           : first < 0xf0 ? 2
           : first < 0xf5 ? 3
                          : 4;
}

/* Bytes of the well-formed character that starts here (Unicode 15, table 3-7); 0 iff none does. */
static unsigned character_bytes(const unsigned char *text) {
    const unsigned following = count_following(text[0]);
    if (following == 4)
        return 0;
    for (unsigned i = 1; i <= following; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    const bool is_long = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    const bool is_none = (text[0] == 0xed && text[1] > 0x9f) || (text[0] == 0xf4 && text[1] > 0x8f);
    return is_long || is_none ? 0 : following + 1;
}

static void quote(FILE *file, const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    (void)fputc('"', file);
    while (*at) {
        const unsigned bytes = character_bytes(at);
        if (bytes == 0)
            (void)fputs("\\ufffd", file);
        else if (*at < 0x20 || *at == '<' || *at == 0x7f)
            (void)fprintf(file, "\\u%04x", *at);
        else if (*at == '"' || *at == '\\')
            (void)fprintf(file, "\\%c", *at);
        else
            (void)fwrite(at, 1, bytes, file);
        at += bytes ? bytes : 1;
    }
    (void)fputc('"', file);
}

void json_text(struct json *json, const char *name, const char *text) {
    begin_value(json, name);
    quote(json->file, text);
}

/* ---- numbers --------------------------------------------------------------------------------- */

void json_number(struct json *json, const char *name, uint64_t number) {
    begin_value(json, name);
    (void)fprintf(json->file, "%" PRIu64, number);
}

void json_signed(struct json *json, const char *name, int64_t number) {
    begin_value(json, name);
    (void)fprintf(json->file, "%" PRId64, number);
}

void json_bool(struct json *json, const char *name, bool is_true) {
    begin_value(json, name);
    (void)fputs(is_true ? "true" : "false", json->file);
}

void json_nothing(struct json *json, const char *name) {
    begin_value(json, name);
    (void)fputs("null", json->file);
}

void json_numbers(struct json *json, const char *name, const uint64_t *number, size_t count) {
    json_begin_array(json, name);
    for (size_t i = 0; i < count; i++)
        json_number(json, NULL, number[i]);
    json_end_array(json);
}
