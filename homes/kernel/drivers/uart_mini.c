/* uart_mini.c: the mini-UART of the BCM2835 family (peripherals manual, chapter "Auxiliaries"): on
 * the Pi 3 and 4 the one on the GPIO header, because Bluetooth has the PL011. `base` is the UART's
 * own block, 0x40 into the auxiliaries. */
#include "console.h"
#include "io.h"

#define AUX_ENABLES ((uintptr_t)0x3c) /* this far below the block: the block is at aux + 0x40 */
#define AUX_ENABLE_UART 1u
#define DATA 0x00
#define INTERRUPTS 0x04
#define INTERRUPT_RECEIVE 5u /* bit 0; bit 2 must be set with it, says the errata list */
#define INTERRUPT_IDENTIFY 0x08
#define CLEAR_FIFOS 6u
#define LINE 0x0c
#define LINE_8_BITS 3u /* the manual says 1; the errata say 3 */
#define MODEM 0x10
#define STATUS 0x14
#define STATUS_RECEIVED 1u
#define STATUS_CAN_SEND (1u << 5)
#define CONTROL 0x20
#define CONTROL_ON 3u
#define BAUD_DIVISOR 0x28

#define BAUD 115200u

static void mini_init(uintptr_t base, uint64_t clock_hz) {
    io_write(base - AUX_ENABLES, io_read(base - AUX_ENABLES) | AUX_ENABLE_UART);
    io_write(base + CONTROL, 0);
    io_write(base + INTERRUPTS, 0);
    io_write(base + LINE, LINE_8_BITS);
    io_write(base + MODEM, 0);
    io_write(base + INTERRUPT_IDENTIFY, CLEAR_FIFOS);
    if (clock_hz != 0)
        io_write(base + BAUD_DIVISOR, (uint32_t)((clock_hz + BAUD * 4) / (BAUD * 8)) - 1);
    io_write(base + CONTROL, CONTROL_ON);
}

static bool mini_send(uintptr_t base, char byte) {
    if (!(io_read(base + STATUS) & STATUS_CAN_SEND))
        return false;
    io_write(base + DATA, (unsigned char)byte);
    return true;
}

static int mini_receive(uintptr_t base) {
    if (!(io_read(base + STATUS) & STATUS_RECEIVED))
        return -1;
    return (int)(io_read(base + DATA) & 0xff);
}

static void mini_interrupt_on(uintptr_t base) {
    io_write(base + INTERRUPTS, INTERRUPT_RECEIVE);
}

const struct uart uart_mini = {
    .name = "mini-UART",
    .init = mini_init,
    .send = mini_send,
    .receive = mini_receive,
    .interrupt_on = mini_interrupt_on,
};
