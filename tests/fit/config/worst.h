/* Compiled to worst fit. */
#include "hooks.h"
#define LARDER_FIT_POLICIES 8
#define LARDER_FIT_MIN_CHUNK 48
