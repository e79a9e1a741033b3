/* sampler.c: see result.h. */
#include "engine.h"
#include "result.h"

#include <stdio.h>

enum { WANTED = 100, CHUNKS_AN_EVENT = 8 };

void sampler_begin(struct sampler *sampler, struct result *result, uint64_t count_events) {
    *sampler = (struct sampler){.result = result, .step_events = count_events / WANTED + 1};
    sampler->next_event = sampler->step_events;
}

/* Full, because nobody knew how long the trace is: every other one goes. */
static void thin_out(struct sampler *sampler) {
    struct result *result = sampler->result;
    for (unsigned i = 0; i < RESULT_SAMPLES / 2; i++)
        result->sample[i] = result->sample[2 * i + 1];
    result->sample_count = RESULT_SAMPLES / 2;
    sampler->step_events *= 2;
}

static void take(struct sampler *sampler, struct replay *replay, struct replay_figures *now) {
    struct result *result = sampler->result;
    replay_figures(replay, now);
    const unsigned external = replay_external_permille(now);
    if (external > result->external_max_permille)
        result->external_max_permille = external;
    sampler->external_sum += (double)external * (double)(now->events - sampler->last_event);
    sampler->last_event = now->events;
    if (result->sample_count == RESULT_SAMPLES)
        thin_out(sampler);
    result->sample[result->sample_count++] = (struct result_sample){
        .event = now->events,
        .time_ns = now->time_ns,
        .live_bytes = now->live_bytes,
        .footprint_bytes = now->footprint_bytes,
        .held_bytes = now->held_bytes,
        .cached_bytes = now->cached_bytes,
        .free_bytes = now->free_bytes,
        .largest_free_bytes = now->largest_free_bytes,
    };
}

void sampler_event(struct sampler *sampler, struct replay *replay) {
    struct replay_figures now;
    if (replay->so_far.events < sampler->next_event)
        return;
    take(sampler, replay, &now);
    const uint64_t step = sampler->step_events, live = now.live_blocks / CHUNKS_AN_EVENT;
    sampler->next_event = now.events + (step > live ? step : live);
}

void sampler_end(struct sampler *sampler, struct replay *replay) {
    struct result *result = sampler->result;
    take(sampler, replay, &result->figures);
    const double events = (double)result->figures.events;
    result->external_mean_permille =
        events > 0 ? (unsigned)(sampler->external_sum / events + 0.5) : 0;
    result->unwritten_blocks = replay->unwritten_blocks;
    const char *fault = replay_fault(replay);
    if (fault) {
        result->state = RESULT_FAULTY;
        (void)snprintf(result->what, sizeof result->what, "%s", fault);
    }
}
