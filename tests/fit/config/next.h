/* Compiled to next fit. */
#include "hooks.h"
#define LARDER_FIT_POLICIES 2
#define LARDER_FIT_OWNER 1
