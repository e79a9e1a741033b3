/* log.c: lines of the start-up log, with the time. */
#include "kernel.h"

#define LINE_BYTES 200u

void log_line(const char *format, ...) {
    uint64_t us = clock_us();
    char text[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("[%4lu.%06lu] %s\n", us / 1000000, us % 1000000, text);
}
