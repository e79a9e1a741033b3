/* timer.h: the generic timer of each CPU: a clock they share and a tick of their own. */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

/* Start the clock. Once, first thing. */
void timer_setup(void);

/* Ticks on this CPU from now on, and naps. On every CPU, after irq_cpu_init(). */
void timer_start(void);

/* Sleep for some 50 us, or until any interrupt is pending. Any context; does nothing before
 * timer_start(). */
void timer_nap(void);

/* Counter ticks a second. */
uint64_t timer_hz(void);

/* Wait without sleeping: for devices. */
void timer_delay_us(uint64_t us);

#endif
