/* Every protection there is. */
#include "hooks.h"
#define LARDER_FIT_CHECKS 2
#define LARDER_FIT_CANARY 1
#define LARDER_FIT_POISON 1
#define LARDER_FIT_OWNER 1
