/* uart_pl011.c: Arm PrimeCell PL011 (DDI 0183): the first UART of the Pis, and QEMU's virt. */
#include "console.h"
#include "io.h"

#define DATA 0x00
#define FLAGS 0x18
#define FLAG_RECEIVE_EMPTY (1u << 4)
#define FLAG_SEND_FULL (1u << 5)
#define BAUD_INTEGER 0x24
#define BAUD_FRACTION 0x28
#define LINE 0x2c
#define LINE_8_BITS (3u << 5)
#define LINE_FIFOS (1u << 4)
#define CONTROL 0x30
#define CONTROL_ON ((1u << 9) | (1u << 8) | 1u)
#define INTERRUPT_MASK 0x38
#define INTERRUPT_CLEAR 0x44
#define INTERRUPT_ALL 0x7ffu
#define INTERRUPT_RECEIVE ((1u << 4) | (1u << 6)) /* level reached, or a pause after a byte */

#define BAUD 115200u

static void pl011_init(uintptr_t base, uint64_t clock_hz) {
    uint64_t divisor = clock_hz * 4 / BAUD; /* in 64ths of 16 bits */

    io_write(base + CONTROL, 0);
    io_write(base + INTERRUPT_MASK, 0);
    io_write(base + INTERRUPT_CLEAR, INTERRUPT_ALL);
    if (clock_hz != 0) {
        io_write(base + BAUD_INTEGER, (uint32_t)(divisor / 64));
        io_write(base + BAUD_FRACTION, (uint32_t)(divisor % 64));
    }
    io_write(base + LINE, LINE_8_BITS | LINE_FIFOS);
    io_write(base + CONTROL, CONTROL_ON);
}

static bool pl011_send(uintptr_t base, char byte) {
    if (io_read(base + FLAGS) & FLAG_SEND_FULL)
        return false;
    io_write(base + DATA, (unsigned char)byte);
    return true;
}

static int pl011_receive(uintptr_t base) {
    if (io_read(base + FLAGS) & FLAG_RECEIVE_EMPTY)
        return -1;
    return (int)(io_read(base + DATA) & 0xff);
}

static void pl011_interrupt_on(uintptr_t base) {
    io_write(base + INTERRUPT_MASK, INTERRUPT_RECEIVE);
}

const struct uart uart_pl011 = {
    .name = "PL011",
    .init = pl011_init,
    .send = pl011_send,
    .receive = pl011_receive,
    .interrupt_on = pl011_interrupt_on,
};
