/* ledger.c: what all processes hold, added up from below, against what the counters say. For tests:
 * nothing runs meanwhile, so nothing is locked. See process.h. */
#include "process.h"

#include "objects.h"
#include "space.h"
#include "user_frame.h"

#define MEMBER(at) LIST_ENTRY(at, struct process, all)

struct ledger {
    uint64_t frames; /* each counted once */
    uint64_t processes, spaces, stacks, regions, tables;
};

/* A frame that two address spaces share is at one address in both: nothing moves pages. */
static bool maps_same(const struct process *process, const struct user_leaf *leaf) {
    struct user_leaf other;

    return process->space != NULL &&
           user_table_find(&process->space->table, leaf->address, &other) &&
           other.span == leaf->span && (*other.entry & PTE_ADDRESS) == (*leaf->entry & PTE_ADDRESS);
}

/* How many map it, and whether this one is the first of them. */
static unsigned count_users(const struct process *process, const struct user_leaf *leaf,
                            bool *is_first) {
    unsigned users = 0;

    LIST_EACH(link, &process_all) {
        if (!maps_same(MEMBER(link), leaf))
            continue;
        if (users == 0)
            *is_first = MEMBER(link) == process;
        users++;
    }
    return users;
}

static const char *add_leaves(struct ledger *ledger, const struct process *process) {
    struct user_leaf leaf;

    for (uint64_t at = 0; user_table_next(&process->space->table, at, USER_END, &leaf);
         at = leaf.address + leaf.span) {
        bool is_first = false;

        if (*leaf.entry & PTE_BORROWED)
            continue;
        if (count_users(process, &leaf, &is_first) != user_frame_users(*leaf.entry & PTE_ADDRESS))
            return "a frame is used by more or less than its record says";
        ledger->frames += is_first ? leaf.span / PAGE_BYTES : 0;
    }
    return NULL;
}

static const char *add(struct ledger *ledger, const struct process *process) {
    const struct space *space = process->space;
    const char *wrong = NULL;

    ledger->processes++;
    ledger->stacks += process->state != PROCESS_ENDED;
    if (space == NULL)
        return NULL;
    ledger->spaces++;
    ledger->regions += space->regions.count;
    ledger->tables += space->table.tables;
    wrong = space_check(space);
    return wrong != NULL ? wrong : add_leaves(ledger, process);
}

static const char *compare(const struct ledger *ledger) {
    if (ledger->frames != user_frames_held())
        return "processes hold other frames than were given to them";
    if (ledger->processes != objects_live(OBJECT_PROCESS) ||
        ledger->spaces != objects_live(OBJECT_SPACE) ||
        ledger->stacks != objects_live(OBJECT_STACK) ||
        ledger->regions != objects_live(OBJECT_REGION) ||
        ledger->tables != objects_live(OBJECT_TABLE))
        return "objects are in use that no process has";
    return NULL;
}

const char *processes_check(void) {
    struct ledger ledger = {.frames = 0};
    const char *wrong = NULL;

    LIST_EACH(link, &process_all)
    if (wrong == NULL)
        wrong = add(&ledger, MEMBER(link));
    return wrong != NULL ? wrong : compare(&ledger);
}

uint64_t processes_frames(void) {
    return user_frames_held() + objects_frames();
}
