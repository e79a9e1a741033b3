/* sim.h: a machine that exists for tests.
 *
 * One `struct sim` is a machine: RAM at any simulated physical address (sparse, up to terabytes), a
 * range table, an instance of larder on it, and virtual CPUs. Around it:
 *
 *   faults      every memory call and every named internal allocation can be made to fail
 *   fatals      sim_expect_fatal() runs a statement that must end in a named fatal
 *   schedules   CPUs are coroutines on one thread; every call of the port is a point where the
 *               schedule may switch or deliver an interrupt: by script, by seed, or all of them
 *   checks      sim notices wrong use of the port: a lock taken twice by one CPU or released by
 *               another, memory asked for under a lock, a slot left that was not entered, deadlock
 *
 * With SIM_THREADS the CPUs are real threads instead (for TSan): no schedules, everything else is
 * the same. Whatever goes wrong ends in sim_failed(), which a test framework may replace.
 */
#ifndef SIM_H
#define SIM_H

#include "larder/cache.h"
#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/larder.h"
#include "larder/ranges.h"
#include "larder/stats.h"

#include <setjmp.h>

#define SIM_CPUS_MAX 64u
#define SIM_ZONES_MAX LARDER_ZONES_MAX

/* What to do with a failed check: the default prints the message and aborts. Must not return. */
extern void (*sim_failed)(const char *message);

/* Report a failure of the test, with the schedule that led to it if one is running. */
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define sim_check(condition)                                                                       \
    ((condition) ? (void)0 : sim_fail("%s:%d: %s", __FILE__, __LINE__, #condition))

/* Release all locks and leave all slots, after a failure that was expected. */
void sim_reset(void);

/* ---- The machine ---- */

struct sim_config {
    const struct larder_range *range; /* what is reported to larder; NULL: 64 MiB at 1 GiB */
    unsigned range_count;
    const struct larder_zone_config *zone; /* NULL: one zone */
    unsigned zone_count;
    unsigned cpus;  /* attached at start; 0: one. */
    unsigned slots; /* slot_count of the instance; 0: as many as cpus */
    uint64_t reserve_frames;
    unsigned interval_ms;
    const char *debug;
    const struct larder_hardening *hardening;
    bool dirty;           /* fill usable RAM with garbage first: for tests of LARDER_ZERO */
    bool map_from_ranges; /* commits take frames out of the range table, as a kernel does */
    bool unattached;      /* attach no CPU */
    bool reserved;        /* RAM is the port's: zero at first, and purged when free */
};

struct sim {
    struct larder_storage storage;
    struct larder_ranges ranges;
    struct larder *larder;
    struct larder_config config; /* as handed to larder_init() */
    enum larder_status status;   /* of larder_init() */
    unsigned cpus;
    unsigned char *arena; /* where RAM is mapped; NULL: the machine has none */
    size_t arena_bytes;
    uint64_t arena_address; /* simulated physical address of arena[0] */
    bool map_from_ranges;
};

/* Make a machine and, on it, an instance with all CPUs attached. Sets the clock to 0. Result: never
 * NULL; sim->larder is NULL iff larder_init() failed (sim->status says why). */
struct sim *sim_start(const struct sim_config *config);

/* The end of a machine in good order: detach all CPUs, larder_fini(); every reservation must be
 * back. */
void sim_stop(struct sim *sim);

/* The end of a machine that is broken on purpose: the instance is not called any more. */
void sim_abandon(struct sim *sim);

/* Attach or detach a CPU of a running machine. False iff larder_slot_attach() returned NULL. */
bool sim_attach(struct sim *sim, unsigned cpu);
void sim_detach(struct sim *sim, unsigned cpu);
struct larder_slot *sim_slot_of(struct sim *sim, unsigned cpu);

/* From now on the caller is this CPU (outside schedules; with SIM_THREADS: this thread is). */
void sim_be(unsigned cpu);

/* larder_validate() holds; the caller holds no lock and has no slot entered. */
void sim_validate(struct sim *sim);

/* RAM that exists behind this simulated address. */
void *sim_pointer(struct sim *sim, uint64_t address);

/* The clock of the port. */
void sim_clock_set(uint64_t ms);
void sim_clock_advance(uint64_t ms);

/* The page size that the port reports from now on: a power of two from 4 KiB. sim_start() sets 4
 * KiB unless this was called before it. */
void sim_page_bytes_set(size_t bytes);

/* Bytes committed by the port now, and at most. */
size_t sim_committed_bytes(void);
size_t sim_committed_bytes_max(void);

/* How often the port was told `what` by larder_port_trace() since sim_start(). */
uint64_t sim_traced(const char *what);

/* ---- Faults ---- */

/* A fault site is a name passed to larder_port_should_fail(), or "reserve" or "commit". Make the
 * nth call from now (1 is the next) of any site fail, or of the named one. Faults are one at a
 * time: a new order replaces the old. `lasting`: that call and all later ones fail. */
void sim_fail_nth(uint64_t nth);
void sim_fail_nth_of(const char *site, uint64_t nth);
void sim_fail_from(uint64_t nth);
void sim_fail_off(void);
bool sim_fail_happened(void); /* since it was ordered */

/* Sites seen since sim_sites_reset(), with the number of calls. */
void sim_sites_reset(void);
unsigned sim_sites(void);
const char *sim_site_name(unsigned site);
uint64_t sim_site_calls(unsigned site);

/* ---- Fatals ---- */

/* The last fatal, with its texts copied. */
struct sim_fatal {
    struct larder_fatal fatal;
    char owner[64], detail[256];
};
extern struct sim_fatal sim_fatal_last;

/* The statement must end in a fatal of this kind; otherwise the test fails. Locks that were held
 * are released and the slot is left, so that the instance can be looked at afterwards. */
extern void (*sim_forgive)(
    struct larder *larder); /* a test that knows the core may help with the release: the core's
                               own books of who holds what; may be NULL */
#define sim_expect_fatal(fatal_kind, statement)                                                    \
    do {                                                                                           \
        jmp_buf sim_jump;                                                                          \
        if (setjmp(sim_jump) == 0) {                                                               \
            sim_fatal_arm(&sim_jump);                                                              \
            statement;                                                                             \
            sim_fatal_missed(fatal_kind, #statement, __FILE__, __LINE__);                          \
        }                                                                                          \
        sim_fatal_verify(fatal_kind, #statement, __FILE__, __LINE__);                              \
    } while (0)
void sim_fatal_arm(jmp_buf *jump);
void sim_fatal_missed(enum larder_fatal_kind kind, const char *what, const char *file, int line);
void sim_fatal_verify(enum larder_fatal_kind kind, const char *what, const char *file, int line);

/* ---- Schedules ---- */

/* Where a schedule may switch. Each event happens on one CPU. */
enum sim_event {
    SIM_ACQUIRE, /* about to take a lock */
    SIM_TAKEN,   /* has taken it */
    SIM_RELEASE, /* has released it */
    SIM_ENTER,   /* has entered its slot */
    SIM_LEAVE,   /* has left it (interrupts are on again) */
    SIM_RELAX,   /* waits for another CPU */
    SIM_TRACE,   /* larder_port_trace() */
    SIM_FAULT,   /* larder_port_should_fail() */
    SIM_MEMORY,  /* reserve, release, commit or purge */
    SIM_YIELD,   /* sim_yield(): the test's own code */
    SIM_EVENTS
};

/* A race: what each CPU does, from a fresh start each time. Any of the functions may be NULL except
 * prepare and body[0 .. cpus-1]. */
struct sim_race {
    const char *name;
    unsigned cpus; /* at least one */
    void (*prepare)(void *context);
    void (*body[4])(void *context);
    void (*interrupt)(void *context); /* an interrupt handler: runs on any CPU where it may */
    void (*check)(void *context);     /* when all have ended */
    void (*clean)(void *context);     /* after check, and after a fatal that was expected */
    void *context;
};

/* Run a race by a script. Steps, separated by ';' :
 *   "0 release 2"     CPU 0 until its 2nd release from here (without a number: the 1st)
 *   "1 trace split"   CPU 1 until larder_port_trace("split")
 *   "0 irq"           deliver an interrupt to CPU 0 as soon as its slot is not entered
 *   "1 end"           CPU 1 to its end
 * Events by name: acquire taken release enter leave relax trace fault memory yield. A CPU that must
 * wait for a lock lets its holder run on meanwhile. After the last step the CPUs run to their ends
 * in order. The test fails if a CPU ends before the step's event came. */
void sim_play(const struct sim_race *race, const char *script);

/* Run it `rounds` times with switches and interrupts at random. */
void sim_play_random(const struct sim_race *race, uint64_t seed, unsigned rounds);

/* Run it by every schedule with up to `changes` switches or interrupts that nothing forced, up to
 * `runs_max` runs. Returns how many runs that were. */
uint64_t sim_play_all(const struct sim_race *race, unsigned changes, uint64_t runs_max);

/* A point in the test's own code, and which CPU runs it. */
void sim_yield(void);
unsigned sim_cpu(void);

#endif
