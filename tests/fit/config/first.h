/* Compiled to first fit, as small as it can be. */
#include "hooks.h"
#define LARDER_FIT_POLICIES 1
#define LARDER_FIT_STATS 0
