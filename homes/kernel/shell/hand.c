/* hand.c: commands to take memory by hand, look at it, and give it back. */
#include "command.h"
#include "hold.h"

#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/stats.h"

static bool have_number(unsigned *number) {
    *number = hold_free_number();
    if (*number == 0)
        printf("All %u numbers are in use; \"free N\" or \"free all\" first.\n", HOLDS_MAX);
    return *number != 0;
}

static void show_hold(unsigned number, const struct hold *hold) {
    printf("%3u: %10lu bytes at %p, address 0x%09lx, %s\n", number, hold->size_bytes, hold->pointer,
           larder_frames_address(kernel_larder, hold->pointer), hold->frames ? "frames" : "heap");
}

static void take(unsigned number, void *pointer, uint64_t size_bytes, bool frames) {
    if (pointer == NULL) {
        printf("There is no free memory of that size. \"buddies\" and \"frag\" show what is "
               "free.\n");
        return;
    }
    hold_put(number, pointer, size_bytes, frames);
    show_hold(number, hold_get(number));
}

/* ---- alloc, frames --------------------------------------------------------------------------- */

static void run_alloc(unsigned count, char **word) {
    uint64_t bytes;
    unsigned number, used;
    if (!command_size(count, word, 1, &bytes, &used) || !have_number(&number))
        return;
    if (bytes == 0) {
        printf("0 bytes are nothing to allocate.\n");
        return;
    }
    void *pointer = larder_alloc(kernel_larder, bytes);
    take(number, pointer, larder_size_of(kernel_larder, pointer), false);
}

static void run_frames(unsigned count, char **word) {
    uint64_t order;
    unsigned number;
    larder_flags flags = 0;
    if (!command_number("ORDER", word[1], 0, LARDER_ORDER_MAX, &order))
        return;
    if (count > 2 && !words_equal(word[2], "dma")) {
        printf("After ORDER may stand \"dma\", not \"%.40s\".\n", word[2]);
        return;
    }
    if (count > 2)
        flags = LARDER_ZONE(0);
    if (have_number(&number))
        take(number, larder_frames_alloc(kernel_larder, (unsigned)order, flags),
             LARDER_FRAME_BYTES << order, true);
}

/* ---- free, list ------------------------------------------------------------------------------ */

static void free_all(void) {
    unsigned dropped = 0;
    for (unsigned number = 1; number <= HOLDS_MAX; number++) {
        if (hold_get(number) != NULL) {
            hold_drop(number);
            dropped++;
        }
    }
    printf("%u given back.\n", dropped);
}

static void run_free(unsigned count, char **word) {
    uint64_t number;
    (void)count;
    if (words_equal(word[1], "all")) {
        free_all();
        return;
    }
    if (!command_number("What to free", word[1], 1, HOLDS_MAX, &number))
        return;
    if (hold_get(number) == NULL) {
        printf("Nothing has the number %lu; \"list\" shows what has.\n", number);
        return;
    }
    hold_drop((unsigned)number);
    printf("%lu given back.\n", number);
}

static void run_list(unsigned count, char **word) {
    uint64_t held = 0, bytes = 0;
    (void)count, (void)word;
    for (unsigned number = 1; number <= HOLDS_MAX; number++) {
        const struct hold *hold = hold_get(number);
        if (hold != NULL) {
            show_hold(number, hold);
            held++;
            bytes += hold->size_bytes;
        }
    }
    printf("%lu held, %lu bytes\n", held, bytes);
}

/* ---- debug ----------------------------------------------------------------------------------- */

static void run_debug(unsigned count, char **word) {
    (void)count;
    enum larder_status status = larder_debug_parse(kernel_larder, word[1]);
    if (status == LARDER_OK)
        printf("Caches made from now on are checked as \"%.60s\" says.\n", word[1]);
    else
        printf("Not understood: %s. \"help debug\" explains.\n", larder_status_text(status));
}

static void run_reclaim(unsigned count, char **word) {
    (void)count, (void)word;
    printf("%lu frames given back to the buddies.\n", larder_reclaim(kernel_larder));
}

/* ---- Table ----------------------------------------------------------------------------------- */

static const struct command commands[] = {
    {"alloc", "SIZE", "take memory of any size from the heap",
     "SIZE is a number of bytes, or with K, M or G: alloc 100, alloc 64K, alloc 2 M.\n", 2, 3,
     OPERAND_NONE, run_alloc},
    {"frames", "ORDER [dma]", "take 2^ORDER frames; dma: below 1 GiB on a Pi",
     "ORDER is 0 (4 KiB) to 18 (1 GiB). The block is aligned to its size.\n", 2, 3, OPERAND_NONE,
     run_frames},
    {"free", "N | all", "give back what \"list\" calls N, or everything", NULL, 2, 2, OPERAND_NONE,
     run_free},
    {"list", "", "what was taken here and not given back", NULL, 1, 1, OPERAND_NONE, run_list},
    {"reclaim", "", "empty magazines, depots and empty slabs", NULL, 1, 1, OPERAND_NONE,
     run_reclaim},
    {"debug", "OPTIONS", "check caches made from now on, e.g. FZPU",
     "Letters, then names they are for, as in FZ,one*;P,two:\n"
     "  F  check every free at once      Z  red zones beside each object\n"
     "  P  fill freed objects, check     U  remember who allocated and freed\n"
     "  A  let allocations fail now and then\n"
     "Without a name all caches are meant; - is none. Try: debug FZPU, cache create one 40.\n",
     2, 2, OPERAND_NONE, run_debug},
};

const struct command_table hand_commands = {"Memory by hand", commands,
                                            sizeof(commands) / sizeof(commands[0])};
