/* The region heap as it comes. */
#include "hooks.h"
