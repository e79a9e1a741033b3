/* utf8.h: bytes from anywhere as text that can be printed and put into a page. */
#ifndef LAB_TRACE_UTF8_H
#define LAB_TRACE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* A copy with a zero behind it. What is no UTF-8, and zeros, become question marks. */
char *utf8_text(const void *bytes, size_t count);

/* Bytes of the character that begins here: 1 to 4. 0 iff it is none. */
size_t utf8_length(const uint8_t *at, size_t count);

#endif
