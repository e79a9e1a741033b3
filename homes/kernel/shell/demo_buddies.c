/* demo_buddies.c: one 2 MiB block is split in two again and again, its halves are taken, and given
 * back they merge.
 *
 * The strip is read from the frame map; a character is 8 frames. Halves are had by shrinking the
 * block where it stands; the next request of that order fits the hole exactly, so the buddies serve
 * it from there (the fullest 2 MiB that fits, design of core/pageblock.h). */
#include "command.h"
#include "demo.h"
#include "out.h"

#include "larder/frames.h"
#include "larder/stats.h"

#define ORDER 9u    /* of the whole block */
#define SMALLEST 4u /* order of the last pieces; smaller ones come out of bins */
#define FRAMES (1u << ORDER)
#define UNIT 8u /* frames a character */
#define UNITS (FRAMES / UNIT)
#define TRIES 16u
#define PIECES (ORDER - SMALLEST)

struct strip {
    char *base;             /* of the block */
    uint64_t run;           /* frames of it that are still the run; 0: given back */
    void *piece[ORDER];     /* [order]: taken, or NULL */
    void *elsewhere[TRIES]; /* blocks that came from other places, given back at the end */
    unsigned elsewheres;
};

/* ---- Drawing --------------------------------------------------------------------------------- */

static bool is_free(const struct strip *strip, unsigned unit) {
    struct larder_map_cell cell;
    uint64_t address = larder_frames_address(kernel_larder, strip->base);
    larder_map_read(kernel_larder, address + unit * UNIT * LARDER_FRAME_BYTES,
                    UNIT * LARDER_FRAME_BYTES, &cell);
    return cell.free == UNIT;
}

/* Units of the free buddy that begins here: as large as its alignment and the free units allow. */
static unsigned free_buddy(const struct strip *strip, unsigned unit) {
    unsigned size = unit == 0 ? UNITS : unit & (~unit + 1);
    for (unsigned i = 0; i < size; i++)
        while (i < size && !is_free(strip, unit + i))
            size /= 2;
    return size;
}

static unsigned piece_units(const struct strip *strip, unsigned unit) {
    if (unit == 0 && strip->run > 0)
        return (unsigned)strip->run / UNIT;
    for (unsigned order = SMALLEST; order < ORDER; order++)
        if (strip->piece[order] == strip->base + unit * UNIT * LARDER_FRAME_BYTES)
            return (1u << order) / UNIT;
    return 1;
}

/* [##] or (..), of so many characters, in red or green. */
static void draw_block(unsigned units, bool is_used) {
    const struct larder_sink *sink = &shell_terminal.sink;
    const char *look = is_used ? "[#]" : "(.)";
    if (shell_terminal.colour)
        out_text(sink, is_used ? "\033[91m" : "\033[32m");
    out_repeat(sink, look[0], 1);
    if (units > 1) {
        out_repeat(sink, look[1], units - 2);
        out_repeat(sink, look[2], 1);
    }
    if (shell_terminal.colour)
        out_text(sink, "\033[0m");
}

static void draw(const struct strip *strip, const char *format, unsigned order) {
    printf("   ");
    for (unsigned unit = 0; unit < UNITS;) {
        bool is_used = !is_free(strip, unit);
        unsigned units = is_used ? piece_units(strip, unit) : free_buddy(strip, unit);
        draw_block(units, is_used);
        unit += units;
    }
    printf("  ");
    printf(format, order);
    printf("\n");
}

/* ---- Splitting and merging ------------------------------------------------------------------- */

static bool is_inside(const struct strip *strip, const void *pointer) {
    uintptr_t base = (uintptr_t)strip->base, at = (uintptr_t)pointer;
    return at >= base && at < base + FRAMES * LARDER_FRAME_BYTES;
}

/* A block of this order from inside the strip; others that are offered are put aside. */
static void *take_inside(struct strip *strip, unsigned order) {
    while (strip->elsewheres < TRIES) {
        void *block = larder_frames_alloc(kernel_larder, order, 0);
        if (block == NULL || is_inside(strip, block))
            return block;
        strip->elsewhere[strip->elsewheres++] = block;
    }
    return NULL;
}

static void split(struct strip *strip) {
    unsigned taken = 0;
    for (unsigned order = ORDER; order-- > SMALLEST;) {
        strip->run = (uint64_t)1 << order;
        (void)larder_frames_resize(kernel_larder, strip->base, strip->run);
        draw(strip, "split %u", order);
        strip->piece[order] = take_inside(strip, order);
        taken += strip->piece[order] != NULL;
        if (strip->piece[order] != NULL)
            draw(strip, "taken %u", order);
    }
    demo_claim(taken == PIECES, "%u of %u requests were served from the hole that fits exactly",
               taken, PIECES);
}

static void merge(struct strip *strip) {
    larder_frames_free(kernel_larder, strip->base);
    strip->run = 0;
    draw(strip, "freed %u", SMALLEST);
    for (unsigned order = SMALLEST; order < ORDER; order++) {
        larder_frames_free(kernel_larder, strip->piece[order]);
        strip->piece[order] = NULL;
        draw(strip, "merged %u", order + 1);
    }
    demo_claim(free_buddy(strip, 0) == UNITS, "%u frames are one free block of order %u again",
               FRAMES, ORDER);
}

void demo_buddies(void) {
    struct strip strip = {.run = FRAMES};
    demo_chapter("Buddies: a block of 2 MiB splits and merges");
    printf("   a character is %u frames; [##] is in use, (..) is one free block;\n"
           "   the number is the order: 2^order frames are taken, or a half of them is free\n\n",
           UNIT);
    strip.base = larder_frames_alloc_contiguous(kernel_larder, FRAMES, FRAMES * LARDER_FRAME_BYTES,
                                                UINT64_MAX, 0);
    if (!demo_claim(strip.base != NULL, "2 MiB, aligned to 2 MiB, are there"))
        return;
    draw(&strip, "taken %u", ORDER);
    split(&strip);
    merge(&strip);
    while (strip.elsewheres > 0)
        larder_frames_free(kernel_larder, strip.elsewhere[--strip.elsewheres]);
}
