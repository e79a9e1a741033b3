/* Good fit with as many classes in a doubling as there can be: 32. */
#define LARDER_FIT_POLICIES 16
#define LARDER_FIT_STEPS_LOG2 5
#include "hooks.h"
