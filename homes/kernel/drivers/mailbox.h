/* mailbox.h: the property interface of the VideoCore firmware: the Pi's way to say what it is when
 * there is no device tree. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAILBOX_CLOCK_UART 2u /* the PL011's */
#define MAILBOX_CLOCK_CORE 4u /* the mini-UART's */

/* `address` of the mailbox registers. Before any of the others. */
void mailbox_open(uint64_t address);

/* Each: false iff the firmware does not answer or does not know. */
bool mailbox_board_revision(uint32_t *revision);
bool mailbox_arm_memory(uint64_t *address, uint64_t *size_bytes);
bool mailbox_videocore_memory(uint64_t *address, uint64_t *size_bytes);
bool mailbox_clock_hz(uint32_t clock, uint64_t *hz);
bool mailbox_command_line(char *text, size_t size);

/* The RAM of a board in bytes, from its revision code; 0 if the code is an old one without it. */
uint64_t mailbox_revision_ram_bytes(uint32_t revision);

#endif
