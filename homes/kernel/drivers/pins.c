/* pins.c: see pins.h. The function of a pin is three bits, ten pins to a word. */
#include "pins.h"

#include "io.h"
#include "mmu.h"

#define GPIO_BYTES 0x100u
#define FUNCTION_PINS_10_TO_19 0x04
#define FUNCTION_ALTERNATE_0 4u /* PL011 */
#define FUNCTION_ALTERNATE_5 2u /* mini-UART */
#define PIN_SEND 14u
#define PIN_RECEIVE 15u

void pins_route_uart(uint64_t gpio_address, enum uart_kind kind) {
    uintptr_t word = (uintptr_t)mmu_map_device(gpio_address, GPIO_BYTES) + FUNCTION_PINS_10_TO_19;
    uint32_t function = kind == UART_MINI ? FUNCTION_ALTERNATE_5 : FUNCTION_ALTERNATE_0;
    uint32_t value = io_read(word);

    value &= ~(7u << (PIN_SEND % 10 * 3) | 7u << (PIN_RECEIVE % 10 * 3));
    value |= function << (PIN_SEND % 10 * 3) | function << (PIN_RECEIVE % 10 * 3);
    io_write(word, value);
}
