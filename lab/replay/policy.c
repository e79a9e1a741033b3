/* policy.c: the list. */
#include "policy.h"

#include <string.h>

static const struct policy_kind *const kinds[] = {
    &policy_first, &policy_next,    &policy_best, &policy_worst,
    &policy_good,  &policy_buddies, &policy_slab,
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const struct policy_kind *policy_kind_at(unsigned index) {
    return index < KINDS ? kinds[index] : NULL;
}

const struct policy_kind *policy_kind_find(const char *name) {
    for (unsigned i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    return NULL;
}

const char *replay_policy_name(unsigned index) {
    const struct policy_kind *kind = policy_kind_at(index);
    return kind ? kind->name : NULL;
}

const char *replay_policy_title(const char *name) {
    const struct policy_kind *kind = policy_kind_find(name);
    return kind ? kind->title : NULL;
}
