/* board.c: for test programs on an AVR (ATmega1284P, 16-bit pointers and size_t): standard output
 * is the first serial line, and leaving main() sleeps with interrupts off, which ends the
 * simulator. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <stdio.h>
#include <stdlib.h>

/* Before main(), among the constructors. */
void board_start(void) __attribute__((constructor));
/* avr-libc calls it after main() with its result; interrupts are off from then on. */
void board_end(void) __attribute__((destructor));

static int put(char byte, FILE *stream) {
    (void)stream;
    while ((UCSR0A & _BV(UDRE0)) == 0) {
    }
    UDR0 = (uint8_t)byte;
    return 0;
}

void board_start(void) {
    static FILE line;
    fdev_setup_stream(&line, put, NULL, _FDEV_SETUP_WRITE);
    UCSR0B = _BV(TXEN0);
    stdout = &line;
}

void board_end(void) {
    cli();
    sleep_enable();
    sleep_cpu();
}
