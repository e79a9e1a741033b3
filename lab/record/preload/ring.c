/* ring.c: attach a process and its threads to the collector, and wait for it: see recorder.h. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAITS_BETWEEN_LOOKS = 512, WAIT_NS = 200000 };
enum { LAST_DESTRUCTOR_ROUND = 3, NOT_RECORDED = UINT32_MAX };

static struct process unattached;
static char channel_path[64];
static pthread_key_t key;
static bool has_key;

__thread struct thread recorder_thread __attribute__((tls_model("initial-exec")));
struct process *recorder_process = &unattached;
struct channel *recorder_channel;

uint64_t recorder_clock(void);
uint64_t recorder_clock(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- The collector --------------------------------------------------------------------------- */

static bool is_closed(void) {
    return __atomic_load_n(&recorder_channel->is_closed, __ATOMIC_RELAXED) != 0;
}

static void rest(unsigned round) {
    (void)nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    if (round % WAITS_BETWEEN_LOOKS == 0 && kill((pid_t)recorder_channel->collector_pid, 0) != 0 &&
        errno == ESRCH)
        __atomic_store_n(&recorder_channel->is_closed, 1, __ATOMIC_RELAXED);
}

/* ---- The process ----------------------------------------------------------------------------- */

/* Opened anew for each mapping: programs close what they do not know, and use the number again. */
static void *map_part(size_t bytes, uint64_t offset) {
    const int fd = open(channel_path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return MAP_FAILED;
    void *part = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
    (void)close(fd);
    return part;
}

static void map_channel(void) {
    const char *path = getenv(CHANNEL_VARIABLE);
    if (!path || strlen(path) >= sizeof channel_path)
        return;
    memcpy(channel_path, path, strlen(path) + 1);
    struct channel *channel = map_part(sizeof *channel, 0);
    if (channel != MAP_FAILED && channel->version == CHANNEL_VERSION)
        recorder_channel = channel;
}

/* The page that a child of fork finds empty. */
static bool map_process(void) {
    struct process *process =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (process == MAP_FAILED)
        return false;
    if (madvise(process, 4096, MADV_WIPEONFORK) != 0)
        return false;
    recorder_process = process;
    return true;
}

static void read_command(char *command) {
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    const ssize_t count = fd < 0 ? 0 : read(fd, command, CHANNEL_COMMAND_BYTES - 1);
    if (fd >= 0)
        (void)close(fd);
    command[count > 0 ? count : 0] = '\0';
    for (ssize_t i = 0; i + 1 < count; i++) {
        if (command[i] == '\0')
            command[i] = ' ';
    }
}

static void attach_process(void) {
    if (recorder_process == &unattached) {
        map_channel();
        if (!map_process())
            recorder_channel = NULL;
    }
    recorder_process->next_thread = 0;
    recorder_process->image = NOT_RECORDED;
    if (!recorder_channel || is_closed() ||
        (recorder_channel->only_pid != 0 && recorder_channel->only_pid != (uint32_t)getpid()))
        return;
    read_command(recorder_process->command);
    recorder_process->image =
        __atomic_add_fetch(&recorder_channel->next_image, 1, __ATOMIC_RELAXED);
}

/* ---- Threads --------------------------------------------------------------------------------- */

static bool claim(struct thread *thread, struct channel_ring *ring, size_t index) {
    uint32_t expected = RING_FREE;
    if (__atomic_load_n(&ring->state, __ATOMIC_RELAXED) != RING_FREE ||
        !__atomic_compare_exchange_n(&ring->state, &expected, RING_CLAIMED, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return false;
    ring->pid = (uint32_t)getpid();
    ring->image = recorder_process->image;
    ring->thread = __atomic_fetch_add(&recorder_process->next_thread, 1, __ATOMIC_RELAXED);
    memcpy(ring->command, recorder_process->command, sizeof ring->command);
    struct channel_entry *entries =
        map_part(CHANNEL_RING_BYTES, CHANNEL_RINGS_OFFSET + index * CHANNEL_RING_BYTES);
    if (entries == MAP_FAILED) {
        __atomic_store_n(&ring->state, RING_FREE, __ATOMIC_RELEASE);
        return false;
    }
    *thread = (struct thread){.image = thread->image,
                              .depth = thread->depth,
                              .stack_end = thread->stack_end,
                              .ring = ring,
                              .entries = entries,
                              .head = ring->head,
                              .tail_seen = ring->head};
    __atomic_store_n(&ring->state, RING_OPEN, __ATOMIC_RELEASE);
    return true;
}

static bool find_ring(struct thread *thread) {
    for (size_t i = 0; i < CHANNEL_COUNT_RINGS; i++) {
        /* Not all from the first on: that one line would go from CPU to CPU. */
        const size_t index =
            (i + recorder_process->image + recorder_process->next_thread) % CHANNEL_COUNT_RINGS;
        if (claim(thread, &recorder_channel->rings[index], index))
            return true;
    }
    return false;
}

static bool some_ring_has_ended(void) {
    for (size_t i = 0; i < CHANNEL_COUNT_RINGS; i++) {
        if (__atomic_load_n(&recorder_channel->rings[i].state, __ATOMIC_RELAXED) == RING_ENDED)
            return true;
    }
    return false;
}

/* Where the collector has not come round to empty those of threads that ended, wait for it. */
static void find_or_await_ring(struct thread *thread) {
    for (unsigned round = 1; !find_ring(thread); round++) {
        if (!some_ring_has_ended() || is_closed()) {
            (void)__atomic_fetch_add(&recorder_channel->count_without_ring, 1, __ATOMIC_RELAXED);
            return;
        }
        rest(round);
    }
}

bool recorder_attach(struct thread *thread) {
    const int error = errno;
    if (recorder_process->image == 0)
        attach_process();
    thread->image = recorder_process->image;
    thread->ring = NULL; /* after a fork: the parent's */
    if (thread->image != NOT_RECORDED)
        find_or_await_ring(thread);
    if (thread->ring) {
        const bool is_first = thread->ring->thread == 0;
        thread->depth++;
        if (has_key)
            (void)pthread_setspecific(key, (void *)1);
        recorder_event(thread, TRACE_THREAD_START, NULL, 0, 0, NULL);
        if (is_first)
            recorder_put_maps(thread);
        thread->depth--;
    }
    errno = error;
    return thread->ring != NULL;
}

static void detach(struct thread *thread) {
    if (!thread->ring || thread->image != recorder_process->image)
        return;
    recorder_event(thread, TRACE_THREAD_END, NULL, 0, 0, NULL);
    struct channel_ring *ring = thread->ring;
    (void)munmap(thread->entries, CHANNEL_RING_BYTES);
    thread->ring = NULL;
    thread->image = 0; /* whoever allocates after this attaches again */
    __atomic_store_n(&ring->state, RING_ENDED, __ATOMIC_RELEASE);
}

/* Other destructors may still free: ours goes to the end of the queue as often as it can. */
static void thread_ends(void *round) {
    if ((uintptr_t)round < LAST_DESTRUCTOR_ROUND)
        (void)pthread_setspecific(key, (void *)((uintptr_t)round + 1));
    else
        detach(&recorder_thread);
}

static __attribute__((constructor)) void program_begins(void) {
    recorder_thread.depth++;
    has_key = pthread_key_create(&key, thread_ends) == 0;
    if (recorder_thread.image == 0)
        (void)recorder_attach(&recorder_thread);
    else if (has_key && recorder_thread.ring)
        (void)pthread_setspecific(key, (void *)1); /* attached before there was a key */
    recorder_thread.depth--;
}

/* Libraries that were loaded since are known from now on. */
static __attribute__((destructor)) void program_ends(void) {
    struct thread *thread = &recorder_thread;
    if (!thread->ring || thread->image != recorder_process->image)
        return;
    recorder_put_maps(thread);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* A full ring is more than a millisecond's work, so the collector does not run dry meanwhile. Not
 * sched_yield(): beside busy programs each costs a whole turn of theirs, or takes the CPU that the
 * collector is waiting for. */
bool recorder_wait(struct thread *thread) {
    const int error = errno;
    for (unsigned round = 1;; round++) {
        thread->tail_seen = __atomic_load_n(&thread->ring->tail, __ATOMIC_ACQUIRE);
        if (thread->head - thread->tail_seen < CHANNEL_COUNT_ENTRIES)
            break;
        if (is_closed()) {
            thread->ring->count_lost++;
            errno = error;
            return false;
        }
        rest(round);
    }
    errno = error;
    return true;
}

/* ---- Bytes and addresses --------------------------------------------------------------------- */

static void put_maps(struct thread *thread, const char *bytes, size_t count) {
    for (size_t at = 0; at < count;) {
        struct channel_entry *entry = recorder_entry(thread);
        if (!entry)
            return;
        const size_t left = count - at;
        const size_t part = left < CHANNEL_MAPS_PER_ENTRY ? left : CHANNEL_MAPS_PER_ENTRY;
        memcpy(entry, bytes + at, part);
        entry->caller = part & 255;
        entry->kind = ENTRY_MAPS;
        recorder_push(thread);
        at += part;
    }
}

void recorder_put_maps(struct thread *thread) {
    char bytes[4096];
    const int error = errno, fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && recorder_enter(thread)) {
        for (ssize_t count; (count = read(fd, bytes, sizeof bytes)) > 0;)
            put_maps(thread, bytes, (size_t)count);
        struct channel_entry *entry = recorder_entry(thread);
        if (entry) {
            entry->kind = ENTRY_MAPS_END;
            recorder_push(thread);
        }
        recorder_leave(thread);
    }
    if (fd >= 0)
        (void)close(fd);
    errno = error;
}

/* Those of the allocator and of this library, which come before `caller`, are left out. */
static void put_addresses(struct thread *thread, const uintptr_t *addresses, size_t count) {
    for (size_t at = 0; at < count;) {
        struct channel_entry *entry = recorder_entry(thread);
        if (!entry)
            return;
        uint64_t *words = (uint64_t *)entry;
        size_t part = 0;
        for (; part < CHANNEL_STACK_PER_ENTRY && at < count; part++)
            words[part] = addresses[at++];
        entry->caller = part & 255;
        entry->kind = ENTRY_STACK;
        recorder_push(thread);
    }
}

void recorder_put_stack(struct thread *thread, const void *caller) {
    uintptr_t addresses[CHANNEL_STACK_MAX];
    const uint32_t stacks = recorder_channel->stacks;
    if (stacks == CHANNEL_STACKS_NONE || thread->until_sample-- > 0)
        return;
    thread->until_sample = recorder_channel->sample_every - 1;
    const size_t count = stacks == CHANNEL_STACKS_FRAMES
                             ? stack_by_frames(thread, addresses, CHANNEL_STACK_MAX)
                             : stack_by_unwinding(addresses, CHANNEL_STACK_MAX);
    size_t first = 0;
    while (first < count && addresses[first] != (uintptr_t)caller)
        first++;
    if (first == count) {
        addresses[0] = (uintptr_t)caller;
        put_addresses(thread, addresses, 1);
    } else {
        put_addresses(thread, addresses + first, count - first);
    }
}
