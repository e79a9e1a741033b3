/* mailbox.c: see mailbox.h. One request in one buffer at a time; used by CPU 0 during start-up.
 *
 * The VideoCore reads and writes the buffer in memory, past our caches, and sees RAM through a bus
 * alias that bypasses its own. The buffer must lie below 1 GiB: the image does, on a Pi.
 */
#include "mailbox.h"

#include "cache.h"
#include "io.h"
#include "kernel.h"
#include "mmu.h"
#include "timer.h"

#define MAILBOX_BYTES 0x40u
#define READ 0x00
#define STATUS 0x18
#define WRITE 0x20
#define STATUS_FULL 0x80000000u
#define STATUS_EMPTY 0x40000000u
#define CHANNEL_PROPERTY 8u
#define CHANNEL_MASK 0xfu
#define BUS_ALIAS 0xc0000000u

#define ANSWERED 0x80000000u
#define TAG_BOARD_REVISION 0x00010002u
#define TAG_ARM_MEMORY 0x00010005u
#define TAG_VIDEOCORE_MEMORY 0x00010006u
#define TAG_CLOCK_RATE 0x00030002u
#define TAG_COMMAND_LINE 0x00050001u

#define BUFFER_WORDS 512u
#define HEADER_WORDS 5u /* bytes, code; tag, bytes of its value, code */
#define WAIT_US 100000u

static uintptr_t registers;
static volatile uint32_t buffer[BUFFER_WORDS] __attribute__((aligned(128)));

void mailbox_open(uint64_t address) {
    registers = (uintptr_t)mmu_map_device(address, MAILBOX_BYTES);
}

static bool wait_clear(uint32_t bit) {
    uint64_t start = clock_us();

    while (io_read(registers + STATUS) & bit)
        if (clock_us() - start > WAIT_US)
            return false;
    return true;
}

static bool exchange(void) {
    uint32_t word = (uint32_t)mmu_address((const void *)buffer) | BUS_ALIAS | CHANNEL_PROPERTY;

    if (!wait_clear(STATUS_FULL))
        return false;
    cache_clean_invalidate(buffer, sizeof buffer);
    io_write(registers + WRITE, word);
    do
        if (!wait_clear(STATUS_EMPTY))
            return false;
    while ((io_read(registers + READ) & CHANNEL_MASK) != CHANNEL_PROPERTY);
    cache_invalidate(buffer, sizeof buffer);
    return buffer[1] == ANSWERED && (buffer[4] & ANSWERED);
}

/* Ask for one value of up to `words` words; buffer[HEADER_WORDS] on is `argument`, then the answer.
 */
static bool ask(uint32_t tag, uint32_t argument, uint32_t words) {
    buffer[0] = (HEADER_WORDS + words + 1) * 4;
    buffer[1] = 0;
    buffer[2] = tag;
    buffer[3] = words * 4;
    buffer[4] = 0;
    buffer[HEADER_WORDS] = argument;
    for (uint32_t i = 1; i <= words; i++)
        buffer[HEADER_WORDS + i] = 0;
    return exchange();
}

static bool ask_pair(uint32_t tag, uint64_t *first, uint64_t *second) {
    if (!ask(tag, 0, 2))
        return false;
    *first = buffer[HEADER_WORDS];
    *second = buffer[HEADER_WORDS + 1];
    return true;
}

bool mailbox_board_revision(uint32_t *revision) {
    if (!ask(TAG_BOARD_REVISION, 0, 1))
        return false;
    *revision = buffer[HEADER_WORDS];
    return true;
}

bool mailbox_arm_memory(uint64_t *address, uint64_t *size_bytes) {
    return ask_pair(TAG_ARM_MEMORY, address, size_bytes);
}

bool mailbox_videocore_memory(uint64_t *address, uint64_t *size_bytes) {
    return ask_pair(TAG_VIDEOCORE_MEMORY, address, size_bytes);
}

bool mailbox_clock_hz(uint32_t clock, uint64_t *hz) {
    if (!ask(TAG_CLOCK_RATE, clock, 2) || buffer[HEADER_WORDS] != clock)
        return false;
    *hz = buffer[HEADER_WORDS + 1];
    return *hz != 0;
}

bool mailbox_command_line(char *text, size_t size) {
    const uint32_t words = BUFFER_WORDS - HEADER_WORDS - 1;
    const char *answer = (const char *)&buffer[HEADER_WORDS];
    size_t length;

    if (!ask(TAG_COMMAND_LINE, 0, words))
        return false;
    length = buffer[4] & ~ANSWERED;
    if (length > words * 4 || length >= size)
        return false;
    memcpy(text, answer, length);
    text[length] = '\0';
    return true;
}

/* Bits 20..22 of a new-style code (bit 23 set): 256 MiB times two to that. */
uint64_t mailbox_revision_ram_bytes(uint32_t revision) {
    if (!(revision & 1u << 23))
        return 0;
    return (uint64_t)256 << 20 << (revision >> 20 & 7);
}
