/* thread.c: attaching, parking and emptying the slots of threads. See thread.h. */
#include "thread.h"

#include "larder/port.h"

#include "process.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* States of an entry: unused (slot NULL) → owned by a thread (tid ≠ 0) ⇄ parked (tid 0, on the
 * stack). */
struct entry {
    struct larder_slot *slot; /* constant once made */
    pid_t tid;
    bool is_old; /* parked: through a whole interval, and emptied */
};

#define STACK_BYTES ((size_t)128 << 10)

static struct {
    larder_port_lock_t lock; /* guards the rest */
    unsigned count;          /* entries ever used; atomic: read without the lock too */
    unsigned parked_count;
    struct entry entry[LARDER_SLOTS_MAX];
    uint16_t parked[LARDER_SLOTS_MAX]; /* a stack: the warmest on top */
} threads;

static pthread_key_t end_key;
static bool has_end_key;
static _Thread_local bool is_ending LARDER_PORT_TLS;

static pid_t thread_id(void) {
    return (pid_t)syscall(SYS_gettid);
}

/* ---- the end of a thread ---- */

static void park(struct larder_slot *slot) {
    const unsigned index = larder_slot_index(slot);
    larder_port_lock_acquire(&threads.lock);
    threads.entry[index].tid = 0;
    threads.entry[index].is_old = false;
    threads.parked[threads.parked_count++] = (uint16_t)index;
    larder_port_lock_release(&threads.lock);
}

/* Other destructors and the C library itself still allocate and free after this: without a slot. */
static void thread_end(void *slot) {
    is_ending = true;
    larder_port_thread_slot = larder_slot_none;
    park(slot);
}

void thread_start(void) {
    has_end_key = pthread_key_create(&end_key, thread_end) == 0;
}

/* ---- the start of a thread ---- */

/* A warm slot of a thread that ended; NULL iff there is none. */
static struct larder_slot *unpark(pid_t tid) {
    struct larder_slot *slot = NULL;
    larder_port_lock_acquire(&threads.lock);
    if (threads.parked_count > 0) {
        struct entry *entry = &threads.entry[threads.parked[--threads.parked_count]];
        entry->tid = tid;
        slot = entry->slot;
    }
    larder_port_lock_release(&threads.lock);
    return slot;
}

/* A new one; NULL iff there are too many, or there is no memory. An index that failed stays
 * unused: it is not worth a list. */
static struct larder_slot *make(pid_t tid) {
    larder_port_lock_acquire(&threads.lock);
    const unsigned index = threads.count;
    __atomic_store_n(&threads.count, index + (index < LARDER_SLOTS_MAX), __ATOMIC_RELAXED);
    larder_port_lock_release(&threads.lock);
    struct larder_slot *slot = index < LARDER_SLOTS_MAX ? larder_slot_attach(PROCESS, index) : NULL;
    if (slot) {
        larder_port_lock_acquire(&threads.lock);
        threads.entry[index] = (struct entry){.slot = slot, .tid = tid};
        larder_port_lock_release(&threads.lock);
    }
    return slot;
}

bool thread_attach(void) {
    if (larder_port_thread_slot != larder_slot_none || is_ending)
        return false;
    /* Only the ends of threads need the key: the first thread's end is the process's. */
    const bool is_first = __atomic_load_n(&threads.count, __ATOMIC_RELAXED) == 0;
    if (!is_first && !has_end_key)
        return false;
    const pid_t tid = is_first ? getpid() : thread_id();
    struct larder_slot *slot = unpark(tid);
    if (!slot)
        slot = make(tid);
    if (!slot)
        return false;
    larder_port_thread_slot = slot;
    if (!is_first && pthread_setspecific(end_key, slot) != 0) {
        larder_port_thread_slot = larder_slot_none;
        park(slot);
        return false;
    }
    return true;
}

/* ---- threads of our own ---- */

bool thread_create(const char *name, void *(*run)(void *unused)) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, old;
    size_t stack = STACK_BYTES;
    /* Not PTHREAD_STACK_MIN, which glibc makes a call of its own: the archive is for musl too. */
    const long least_bytes = sysconf(_SC_THREAD_STACK_MIN);
    (void)sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0)
        return false;
    if (least_bytes > 0 && stack < (size_t)least_bytes)
        stack = (size_t)least_bytes;
    (void)pthread_attr_setstacksize(&attributes, stack);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* No signal of the program's is ours to take, nor a client's that hangs up. */
    const bool is_quiet = pthread_sigmask(SIG_SETMASK, &all, &old) == 0;
    const bool is_made = is_quiet && pthread_create(&thread, &attributes, run, NULL) == 0;
    if (is_quiet)
        (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (is_made)
        (void)pthread_setname_np(thread, name);
    return is_made;
}

/* ---- emptying ---- */

/* Take a parked entry that is not yet old off the stack, so that no thread takes it meanwhile. */
static struct entry *take_parked(bool even_old) {
    struct entry *taken = NULL;
    larder_port_lock_acquire(&threads.lock);
    for (unsigned i = 0; i < threads.parked_count && !taken; i++) {
        struct entry *entry = &threads.entry[threads.parked[i]];
        if (even_old || !entry->is_old) {
            taken = entry;
            for (threads.parked_count--; i < threads.parked_count; i++)
                threads.parked[i] = threads.parked[i + 1];
        }
    }
    larder_port_lock_release(&threads.lock);
    return taken;
}

/* Emptied entries go to the bottom: the warm ones are taken first. */
static void put_parked(struct entry *entry) {
    larder_port_lock_acquire(&threads.lock);
    entry->is_old = true;
    for (unsigned i = threads.parked_count++; i > 0; i--)
        threads.parked[i] = threads.parked[i - 1];
    threads.parked[0] = (uint16_t)(entry - threads.entry);
    larder_port_lock_release(&threads.lock);
}

void thread_empty_parked(void) {
    for (unsigned left = LARDER_SLOTS_MAX; left > 0; left--) {
        struct entry *entry = take_parked(false);
        if (!entry)
            return;
        larder_reclaim_slot(PROCESS, entry->slot);
        put_parked(entry);
    }
}

/* Was the thread seen blocked in a system call, and so outside all code of ours? The kernel's file
 * says "running" or the call's number; -1 is a thread stopped elsewhere, by a page fault perhaps.
 */
static bool is_blocked(pid_t tid) {
    char path[64] = "/proc/self/task/", text[8] = "";
    unsigned at = 16, digits = 1;
    for (pid_t rest = tid; rest >= 10; rest /= 10)
        digits++;
    for (unsigned i = digits; i-- > 0; tid /= 10)
        path[at + i] = (char)('0' + tid % 10);
    __builtin_memcpy(path + at + digits, "/syscall", sizeof "/syscall");
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    const ssize_t length = read(file, text, sizeof text);
    (void)close(file);
    return length > 0 && text[0] >= '0' && text[0] <= '9';
}

static struct entry look_at(unsigned index) {
    larder_port_lock_acquire(&threads.lock);
    const struct entry entry = threads.entry[index];
    larder_port_lock_release(&threads.lock);
    return entry;
}

static void empty_sleeping(unsigned index) {
    const struct entry entry = look_at(index);
    if (entry.tid == 0 || entry.slot == larder_port_thread_slot)
        return;
    larder_slot_withdraw(PROCESS, entry.slot);
    /* Seen asleep after that: what it held is nobody's now. Else it settles by itself. (What cannot
     * be seen: a signal handler that sleeps and has interrupted a fast path. Those are five
     * instructions long.) */
    if (is_blocked(entry.tid) && look_at(index).tid == entry.tid)
        larder_slot_settle(PROCESS, entry.slot);
}

void thread_empty_all(void) {
    thread_empty_parked();
    if (larder_port_thread_slot != larder_slot_none)
        larder_reclaim_slot(PROCESS, larder_port_thread_slot);
    const unsigned count = __atomic_load_n(&threads.count, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < count; i++)
        empty_sleeping(i);
}

/* ---- fork ---- */

void thread_lock(void) {
    larder_port_lock_acquire(&threads.lock);
}

void thread_unlock(void) {
    larder_port_lock_release(&threads.lock);
}

/* The slots of the others are whole: their slow paths were kept out by the locks, and a fast path
 * cut in two loses one object at most. */
void thread_become_only(void) {
    threads.parked_count = 0;
    for (unsigned i = 0; i < threads.count; i++) {
        struct entry *entry = &threads.entry[i];
        if (entry->slot && entry->slot == larder_port_thread_slot) {
            entry->tid = getpid();
        } else if (entry->slot) {
            entry->tid = 0;
            entry->is_old = false;
            threads.parked[threads.parked_count++] = (uint16_t)i;
        }
    }
}
