/* printf.c: formatted output, the integer part of C's. One writer behind all entry points: it puts
 * bytes into a buffer, which snprintf keeps and printf sends to the console when it is full. */
#include "kernel.h"

#define PIECE_BYTES 256u
#define DIGITS_MAX 24u /* 2^64 in octal has 22 */

struct output {
    char *buffer;
    size_t size;
    size_t used;
    size_t total;    /* bytes the text has, whether they fit or not */
    bool to_console; /* send and begin again when full; else drop what does not fit */
};

static void put(struct output *output, char byte) {
    if (output->to_console && output->used == output->size) {
        console_write(output->buffer, output->used);
        output->used = 0;
    }
    if (output->used < output->size)
        output->buffer[output->used++] = byte;
    output->total++;
}

static void put_many(struct output *output, char byte, int count) {
    while (count-- > 0)
        put(output, byte);
}

/* One conversion, taken apart. */
struct spec {
    bool left, zeros, plus, space, prefix;
    int width;
    int precision; /* -1: none */
    int length;    /* bytes of the integer argument */
    char type;
};

static int read_number(const char **at, va_list *arguments) {
    int value = 0;

    if (**at == '*') {
        (*at)++;
        return va_arg(*arguments, int);
    }
    while (**at >= '0' && **at <= '9')
        value = value * 10 + *(*at)++ - '0';
    return value;
}

static void read_flags(const char **at, struct spec *spec) {
    for (;; (*at)++) {
        switch (**at) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zeros = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        case '#':
            spec->prefix = true;
            break;
        default:
            return;
        }
    }
}

static int read_length(const char **at) {
    int length = 4;

    for (;; (*at)++) {
        if (**at == 'h')
            length /= 2;
        else if (**at == 'l' || **at == 'z' || **at == 'j' || **at == 't')
            length = 8;
        else
            return length;
    }
}

static struct spec read_spec(const char **at, va_list *arguments) {
    struct spec spec = {.precision = -1};

    read_flags(at, &spec);
    spec.width = read_number(at, arguments);
    if (spec.width < 0) {
        spec.left = true;
        spec.width = -spec.width;
    }
    if (**at == '.') {
        (*at)++;
        spec.precision = read_number(at, arguments);
    }
    spec.length = read_length(at);
    spec.type = **at;
    if (**at != '\0')
        (*at)++;
    return spec;
}

/* prefix, zeros, text, padded to the width. */
static void put_field(struct output *output, const struct spec *spec, const char *prefix, int zeros,
                      const char *text, int length) {
    int padding = spec->width - (int)strlen(prefix) - zeros - length;

    if (!spec->left)
        put_many(output, ' ', padding);
    while (*prefix != '\0')
        put(output, *prefix++);
    put_many(output, '0', zeros);
    for (int i = 0; i < length; i++)
        put(output, text[i]);
    if (spec->left)
        put_many(output, ' ', padding);
}

static void put_integer(struct output *output, const struct spec *spec, uint64_t value,
                        unsigned base, const char *prefix) {
    const char *digits = spec->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[DIGITS_MAX];
    int length = 0;
    int least = spec->precision >= 0 ? spec->precision : 1;

    for (uint64_t rest = value; rest != 0; rest /= base)
        text[DIGITS_MAX - 1 - (unsigned)length++] = digits[rest % base];
    if (spec->zeros && !spec->left && spec->precision < 0)
        least = spec->width - (int)strlen(prefix);
    if (least < 1 && spec->precision != 0)
        least = 1;
    put_field(output, spec, prefix, least > length ? least - length : 0, text + DIGITS_MAX - length,
              length);
}

static void put_signed(struct output *output, const struct spec *spec, int64_t value) {
    const char *prefix = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

    put_integer(output, spec, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, prefix);
}

static void put_string(struct output *output, const struct spec *spec, const char *text) {
    size_t limit = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;

    if (text == NULL)
        text = "(null)";
    put_field(output, spec, "", 0, text, (int)strnlen(text, limit));
}

static uint64_t unsigned_argument(const struct spec *spec, va_list *arguments) {
    if (spec->length == 8)
        return va_arg(*arguments, uint64_t);
    return va_arg(*arguments, unsigned) & (uint32_t)(((uint64_t)1 << 8 * spec->length) - 1);
}

static int64_t signed_argument(const struct spec *spec, va_list *arguments) {
    if (spec->length == 8)
        return va_arg(*arguments, int64_t);
    return (int64_t)((uint64_t)va_arg(*arguments, int) << (64 - 8 * spec->length)) >>
           (64 - 8 * spec->length);
}

static void put_conversion(struct output *output, const struct spec *spec, va_list *arguments) {
    uint64_t value;
    char letter;

    switch (spec->type) {
    case 'd':
    case 'i':
        put_signed(output, spec, signed_argument(spec, arguments));
        break;
    case 'u':
        put_integer(output, spec, unsigned_argument(spec, arguments), 10, "");
        break;
    case 'x':
    case 'X':
        value = unsigned_argument(spec, arguments);
        put_integer(output, spec, value, 16, spec->prefix && value != 0 ? "0x" : "");
        break;
    case 'p':
        put_integer(output, spec, (uint64_t)va_arg(*arguments, void *), 16, "0x");
        break;
    case 's':
        put_string(output, spec, va_arg(*arguments, const char *));
        break;
    case 'c':
        letter = (char)va_arg(*arguments, int);
        put_field(output, spec, "", 0, &letter, 1);
        break;
    default: /* "%%", and what the compiler's check of formats lets nobody write */
        put(output, spec->type);
        break;
    }
}

static void format_into(struct output *output, const char *format, va_list arguments) {
    va_list rest;

    va_copy(rest, arguments);
    while (*format != '\0') {
        struct spec spec;

        if (*format != '%') {
            put(output, *format++);
            continue;
        }
        format++;
        spec = read_spec(&format, &rest);
        put_conversion(output, &spec, &rest);
    }
    va_end(rest);
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) {
    struct output output = {.buffer = buffer, .size = size != 0 ? size - 1 : 0};

    format_into(&output, format, arguments);
    if (size != 0)
        buffer[output.used] = '\0';
    return (int)output.total;
}

int snprintf(char *buffer, size_t size, const char *format, ...) {
    va_list arguments;
    int total;

    va_start(arguments, format);
    total = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return total;
}

int vprintf(const char *format, va_list arguments) {
    char piece[PIECE_BYTES];
    struct output output = {.buffer = piece, .size = sizeof piece, .to_console = true};

    format_into(&output, format, arguments);
    console_write(piece, output.used);
    return (int)output.total;
}

int printf(const char *format, ...) {
    va_list arguments;
    int total;

    va_start(arguments, format);
    total = vprintf(format, arguments);
    va_end(arguments);
    return total;
}
