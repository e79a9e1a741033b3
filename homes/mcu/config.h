/* The region heap on a small machine: good fit only, for regions up to 64 KiB, names its mistakes.
 */
#ifndef MCU_CONFIG_H
#define MCU_CONFIG_H

#define LARDER_FIT_POLICIES 16
#define LARDER_FIT_STEPS_LOG2 2
#define LARDER_FIT_SIZE_LOG2 16

#endif
