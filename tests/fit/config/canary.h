/* Guard words, an odd header, few classes, long slack. */
#include "hooks.h"
#define LARDER_FIT_CANARY 1
#define LARDER_FIT_ALIGN 32
#define LARDER_FIT_MIN_CHUNK 320
#define LARDER_FIT_STATS 0
#define LARDER_FIT_STEPS_LOG2 0
#define LARDER_FIT_SIZE_LOG2 24
