/* crc32.c: see crc32.h. Eight bytes a step, by eight tables (Kounavis and Berry, 2005). */
#include "trace/crc32.h"

#include <pthread.h>

static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        table[0][byte] = crc;
    }
    for (int step = 1; step < 8; step++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            const uint32_t before = table[step - 1][byte];
            table[step][byte] = before >> 8 ^ table[0][before & 0xff];
        }
    }
}

uint32_t crc32_of(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    (void)pthread_once(&once, fill_table);
    crc = ~crc;
    for (; count >= 8; count -= 8, at += 8) {
        crc ^=
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        crc = table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^ table[5][crc >> 16 & 0xff] ^
              table[4][crc >> 24] ^ table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]] ^
              table[0][at[7]];
    }
    for (; count > 0; count--)
        crc = crc >> 8 ^ table[0][(crc ^ *at++) & 0xff];
    return ~crc;
}
