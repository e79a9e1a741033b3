/* Large granules and chunks: long slack. */
#include "hooks.h"
#define LARDER_FIT_ALIGN 64
#define LARDER_FIT_MIN_CHUNK 320
#define LARDER_FIT_STEPS_LOG2 5
#define LARDER_FIT_POISON 1
