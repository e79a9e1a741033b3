/* policy.c: who runs next: a script, chance, or every possibility up to a bound.
 *
 * "Every possibility" follows CHESS (Musuvathi and Qadeer 2007): most races need only one or two
 * switches that nothing forced, so all schedules with so few of them are tried.
 */
#ifndef SIM_THREADS
#include "schedule.h"

#include <stdio.h>
#include <string.h>

static const char *const event_names[SIM_EVENTS] = {
    "acquire", "taken", "release", "enter", "leave", "relax", "trace", "fault", "memory", "yield",
};

/* ---- Scripts ---- */

#define STEPS_MAX 32u

enum step_kind { STEP_EVENT, STEP_INTERRUPT, STEP_END };

struct step {
    enum step_kind kind;
    unsigned cpu;
    enum sim_event event;
    char what[24]; /* "": any */
    unsigned left;
};

static struct {
    const char *text;
    unsigned count, at;
    struct step step[STEPS_MAX];
} script;

static void step_parse_event(struct step *step, const char *word, const char *rest) {
    unsigned event = 0;
    while (event < SIM_EVENTS && strcmp(word, event_names[event]) != 0) {
        event++;
    }
    if (event == SIM_EVENTS) {
        sim_fail("script \"%s\": no event is called \"%s\"", script.text, word);
    }
    step->event = (enum sim_event)event;
    bool named = event == SIM_TRACE || event == SIM_FAULT || event == SIM_MEMORY;
    int used = 0;
    if (named && sscanf(rest, "%23s%n", step->what, &used) == 1) {
        rest += used;
    }
    if (sscanf(rest, "%u", &step->left) != 1) {
        step->left = 1;
    }
}

static void step_parse(struct step *step, const char *text) {
    char word[24];
    int used = 0;
    *step = (struct step){.kind = STEP_EVENT, .left = 1};
    if (sscanf(text, "%u %23s%n", &step->cpu, word, &used) != 2) {
        sim_fail("script \"%s\": cannot read \"%s\"", script.text, text);
    }
    if (strcmp(word, "end") == 0) {
        step->kind = STEP_END;
    } else if (strcmp(word, "irq") == 0) {
        step->kind = STEP_INTERRUPT;
    } else {
        step_parse_event(step, word, text + used);
    }
}

static void script_parse(const char *text) {
    char copy[512];
    char *rest = copy, *part;
    snprintf(copy, sizeof copy, "%s", text);
    script.text = text;
    script.at = script.count = 0;
    while ((part = strsep(&rest, ";")) != NULL) {
        sim_check(script.count < STEPS_MAX);
        step_parse(&script.step[script.count++], part);
    }
}

static struct step *script_step(void) {
    return script.at < script.count ? &script.step[script.at] : NULL;
}

/* True: the step is over. */
static bool step_advance(struct step *step, enum sim_event event, const char *what) {
    if (step->kind == STEP_INTERRUPT) {
        if (!schedule_can_interrupt()) {
            return false;
        }
        script.at++; /* before: the handler's events count for the next step */
        schedule_interrupt();
        return true;
    }
    if (step->kind != STEP_EVENT || step->event != event) {
        return false;
    }
    if (step->what[0] && (!what || strcmp(step->what, what) != 0)) {
        return false;
    }
    if (--step->left > 0) {
        return false;
    }
    script.at++;
    return true;
}

static bool script_at_point(enum sim_event event, const char *what) {
    struct step *step = script_step();
    if (!step) {
        return false;
    }
    if (step->cpu != schedule_current()) { /* a helper: until the one we want can run */
        return schedule_can_run(step->cpu);
    }
    return step_advance(step, event, what);
}

static unsigned script_choose(void) {
    struct step *step = script_step();
    while (step && step->kind == STEP_END && schedule_is_done(step->cpu)) {
        script.at++;
        step = script_step();
    }
    if (!step) { /* to their ends, in order */
        return schedule_can_run(0) ? 0 : schedule_next_after(0);
    }
    if (schedule_is_done(step->cpu)) {
        sim_fail("script \"%s\": CPU %u ended before step %u came", script.text, step->cpu,
                 script.at + 1);
    }
    return schedule_helper_of(step->cpu);
}

static void script_describe(char *text, size_t bytes) {
    snprintf(text, bytes, "%s, at step %u", script.text, script.at + 1);
}

void sim_play(const struct sim_race *race, const char *text) {
    static const struct policy policy = {script_at_point, script_choose, script_describe};
    script_parse(text);
    schedule_run(race, &policy);
    if (script_step() && script_step()->kind != STEP_END) {
        sim_fail("script \"%s\": step %u never came", text, script.at + 1);
    }
}

/* ---- Chance ---- */

#define SWITCH_ONE_IN 6u
#define INTERRUPT_ONE_IN 12u

static struct {
    uint64_t seed, state;
    unsigned round;
} chance;

static unsigned chance_below(unsigned bound) {
    chance.state = chance.state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(chance.state >> 33) % bound;
}

static bool chance_at_point(enum sim_event event, const char *what) {
    (void)event;
    (void)what;
    if (schedule_can_interrupt() && chance_below(INTERRUPT_ONE_IN) == 0) {
        schedule_interrupt();
    }
    return chance_below(SWITCH_ONE_IN) == 0;
}

static unsigned chance_choose(void) {
    return schedule_next_after(chance_below(SIM_FIBERS_MAX));
}

static void chance_describe(char *text, size_t bytes) {
    snprintf(text, bytes, "seed %llu, round %u", (unsigned long long)chance.seed, chance.round);
}

void sim_play_random(const struct sim_race *race, uint64_t seed, unsigned rounds) {
    static const struct policy policy = {chance_at_point, chance_choose, chance_describe};
    chance.seed = seed;
    for (chance.round = 0; chance.round < rounds; chance.round++) {
        chance.state = seed * 0x9e3779b97f4a7c15u + chance.round;
        schedule_run(race, &policy);
    }
}

/* ---- Everything ---- */

#define CHANGES_MAX 4u
#define INTERRUPT_CHANGE SIM_FIBERS_MAX

/* A change that nothing forced: at this point, switch to a CPU or deliver an interrupt. */
struct change {
    unsigned point, action;
};

/* What could have been done at one point of a run. */
struct chances {
    unsigned char current, can_run; /* can_run: a bit for each CPU */
    bool can_interrupt;
};

#define POINTS_MAX 4096u

static struct {
    unsigned changes; /* made in this run */
    struct change change[CHANGES_MAX];
    unsigned done; /* of these, so far */
    unsigned points;
    unsigned wanted;
    struct chances seen[POINTS_MAX];
    uint64_t runs, runs_max;
    const struct sim_race *race;
} all;

static void all_record(void) {
    if (all.points >= POINTS_MAX) {
        return;
    }
    struct chances *seen = &all.seen[all.points];
    *seen = (struct chances){(unsigned char)schedule_current(), 0, schedule_can_interrupt()};
    for (unsigned cpu = 0; cpu < all.race->cpus; cpu++) {
        if (schedule_can_run(cpu)) {
            seen->can_run |= (unsigned char)(1u << cpu);
        }
    }
}

static bool all_at_point(enum sim_event event, const char *what) {
    (void)event;
    (void)what;
    all_record();
    unsigned point = all.points++;
    if (all.done == all.changes || all.change[all.done].point != point) {
        return false;
    }
    unsigned action = all.change[all.done++].action;
    if (action != INTERRUPT_CHANGE) {
        all.wanted = action;
        return true;
    }
    schedule_interrupt();
    return false;
}

static unsigned all_choose(void) {
    unsigned wanted = all.wanted;
    all.wanted = NOBODY;
    if (wanted != NOBODY && schedule_can_run(wanted)) {
        return wanted;
    }
    unsigned current = schedule_current();
    return schedule_next_after(current < all.race->cpus ? current : 0);
}

static void all_describe(char *text, size_t bytes) {
    size_t used = (size_t)snprintf(text, bytes, "%u changes:", all.changes);
    for (unsigned i = 0; i < all.changes && used < bytes; i++) {
        const struct change *change = &all.change[i];
        if (change->action == INTERRUPT_CHANGE) {
            used += (size_t)snprintf(text + used, bytes - used, " irq at %u;", change->point);
        } else {
            used += (size_t)snprintf(text + used, bytes - used, " to CPU %u at %u;", change->action,
                                     change->point);
        }
    }
}

static void all_run(void) {
    static const struct policy policy = {all_at_point, all_choose, all_describe};
    all.done = all.points = 0;
    all.wanted = 0;
    all.runs++;
    schedule_run(all.race, &policy);
}

static bool is_possible(const struct chances *seen, unsigned action) {
    if (action == INTERRUPT_CHANGE) {
        return seen->can_interrupt;
    }
    return action != seen->current && (seen->can_run >> action & 1);
}

/* All runs that begin with the changes made so far. Depth is bounded by CHANGES_MAX. */
static void all_extend(unsigned changes_max) {
    all_run();
    if (all.changes == changes_max) {
        return;
    }
    static struct chances seen_at[CHANGES_MAX][POINTS_MAX];
    struct chances *seen = seen_at[all.changes];
    unsigned points = all.points < POINTS_MAX ? all.points : POINTS_MAX;
    memcpy(seen, all.seen, points * sizeof *seen);
    unsigned depth = all.changes++;
    unsigned first = depth ? all.change[depth - 1].point + 1 : 0;
    for (unsigned point = first; point < points; point++) {
        for (unsigned action = 0; action <= INTERRUPT_CHANGE && all.runs < all.runs_max; action++) {
            if (is_possible(&seen[point], action)) {
                all.change[depth] = (struct change){point, action};
                all_extend(changes_max);
            }
        }
    }
    all.changes = depth;
}

uint64_t sim_play_all(const struct sim_race *race, unsigned changes, uint64_t runs_max) {
    sim_check(changes <= CHANGES_MAX);
    all.race = race;
    all.runs = 0;
    all.runs_max = runs_max;
    all.changes = 0;
    all_extend(changes);
    return all.runs;
}

#endif
