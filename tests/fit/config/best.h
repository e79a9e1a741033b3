/* Compiled to best fit. */
#include "hooks.h"
#define LARDER_FIT_POLICIES 4
