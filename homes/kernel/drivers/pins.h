/* pins.h: the pins of the Pis' GPIO header. */
#ifndef PINS_H
#define PINS_H

#include "machine.h"

/* Give pins 14 and 15 (header 8 and 10) to that UART. */
void pins_route_uart(uint64_t gpio_address, enum uart_kind kind);

#endif
