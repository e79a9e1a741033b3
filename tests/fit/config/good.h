/* Compiled to good fit, for an arena of 64 KiB. */
#include "hooks.h"
#define LARDER_FIT_POLICIES 16
#define LARDER_FIT_STEPS_LOG2 2
#define LARDER_FIT_SIZE_LOG2 16
