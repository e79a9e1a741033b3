/* family_model.c: see family_model.h. */
#include "family_model.h"

#include "names.h"
#include "tap.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHARED = 16, INFO_BYTES = 16384 };

static struct model_block shared[SHARED]; /* nobody's */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static const char nothrow = 0;
static volatile size_t impossible = (size_t)PTRDIFF_MAX + 1, odd = 100; /* hidden from compilers */

static _Noreturn void differ(const char *what) {
    const char *const texts[] = {"# ", what, "\n"};
    for (unsigned i = 0; i < 3; i++)
        (void)!write(STDOUT_FILENO, texts[i], strlen(texts[i]));
    abort();
}

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            differ(#condition);                                                                    \
    } while (0)

/* ---- contents ---- */

static size_t next_sample(size_t at, size_t size) {
    return at < 300 || at + 300 >= size ? at + 1 : at + 251 < size - 300 ? at + 251 : size - 300;
}

static void fill(struct model_block *block) {
    for (size_t at = 0; at < block->size; at = next_sample(at, block->size))
        block->memory[at] = (unsigned char)(block->first + at * 13);
}

static void expect_kept(const struct model_block *block, const unsigned char *memory, size_t size) {
    for (size_t at = 0; at < block->size; at = next_sample(at, block->size))
        MUST(at >= size || memory[at] == (unsigned char)(block->first + at * 13));
}

static void expect_zero(const unsigned char *memory, size_t size) {
    for (size_t at = 0; at < size; at = next_sample(at, size))
        MUST(memory[at] == 0);
}

static void expect_alone(const struct model *model, const struct model_block *block) {
    const uintptr_t start = (uintptr_t)block->memory, end = start + block->size;
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        const struct model_block *other = &model->block[i];
        const uintptr_t first = (uintptr_t)other->memory;
        MUST(other == block || !first || end <= first || first + other->size <= start);
    }
}

/* ---- calls; each is decoded from a number's bits ---- */

static size_t size_from(uint64_t call) {
    const uint64_t bits = call >> 16 & 0xffffff;
    switch (call >> 40 & 15) {
    case 0:
        return bits % 3;
    case 1: /* beside a power of two */
        return ((size_t)1 << bits % 22) + (bits >> 8) % 3 - (bits % 22 > 1);
    case 2:
        return bits % ((size_t)6 << 20);
    case 3:
    case 4:
        return bits % 200000;
    default:
        return bits % 2000;
    }
}

static unsigned char *allocate(uint64_t call, size_t size, size_t *align) {
    void *memory = NULL;
    const size_t wide = (size_t)8 << (call >> 48 & 15); /* 8 to 256 KiB */
    *align = call >> 8 & 8 ? 16 : wide;
    switch (call >> 8 & 15) {
    case 0:
        MUST(posix_memalign(&memory, wide, size) == 0);
        return memory;
    case 1:
        return aligned_alloc(wide, size);
    case 2:
        return memalign(wide, size);
    case 3:
        *align = 4096;
        return call >> 52 & 1 ? valloc(size) : pvalloc(size);
    case 4:
        return new_one_aligned(size, wide);
    case 5:
        return new_array_aligned(size, wide);
    case 6:
        return new_one_aligned_nothrow(size, wide, &nothrow);
    case 7:
        return new_array_aligned_nothrow(size, wide, &nothrow);
    case 8:
        return new_one(size);
    case 9:
        return new_array(size);
    case 10:
        return new_one_nothrow(size, &nothrow);
    case 11:
        return new_array_nothrow(size, &nothrow);
    case 12:
        memory = calloc(1 + (call >> 48 & 3), size / (1 + (call >> 48 & 3)) + 1);
        expect_zero(memory, size);
        return memory;
    case 13:
        return reallocarray(NULL, 1, size);
    default:
        return malloc(size);
    }
}

static void give_back(uint64_t call, const struct model_block *block) {
    void *const memory = block->memory;
    switch (call >> 8 & 15) {
    case 0:
        delete_one(memory);
        return;
    case 1:
        delete_array(memory);
        return;
    case 2:
        delete_one_nothrow(memory, &nothrow);
        return;
    case 3:
        delete_array_nothrow(memory, &nothrow);
        return;
    case 4:
        delete_one_sized(memory, block->size);
        return;
    case 5:
        delete_array_sized(memory, block->size);
        return;
    case 6:
        delete_one_aligned(memory, block->align);
        return;
    case 7:
        delete_array_aligned(memory, block->align);
        return;
    case 8:
        delete_one_sized_aligned(memory, block->size, block->align);
        return;
    case 9:
        delete_array_sized_aligned(memory, block->size, block->align);
        return;
    case 10:
        delete_one_aligned_nothrow(memory, block->align, &nothrow);
        return;
    case 11:
        delete_array_aligned_nothrow(memory, block->align, &nothrow);
        return;
    case 12:
        cfree(memory);
        return;
    case 13:
        free_sized(memory, block->size);
        return;
    case 14:
        free_aligned_sized(memory, block->align, block->size);
        return;
    default:
        free(memory);
    }
}

static void make(struct model *model, struct model_block *block, uint64_t call) {
    block->size = size_from(call);
    errno = 4711;
    block->memory = allocate(call, block->size, &block->align);
    MUST(block->memory && errno == 4711);
    MUST(((uintptr_t)block->memory & (block->align - 1)) == 0);
    MUST(malloc_usable_size(block->memory) >= block->size);
    block->first = (unsigned char)(call >> 24);
    expect_alone(model, block);
    fill(block);
}

static void end(struct model_block *block, uint64_t call) {
    expect_kept(block, block->memory, block->size);
    errno = 4711;
    give_back(call, block);
    MUST(errno == 4711);
    *block = (struct model_block){0};
}

static void resize(struct model *model, struct model_block *block, uint64_t call) {
    const size_t size = size_from(call) + 1;
    if (call >> 8 & 1 && larder_process_try_resize(block->memory, size)) {
        MUST(malloc_usable_size(block->memory) >= size);
    } else {
        unsigned char *memory =
            call >> 9 & 1 ? realloc(block->memory, size) : reallocarray(block->memory, size, 1);
        MUST(memory && ((uintptr_t)memory & 15) == 0);
        block->align = memory == block->memory ? block->align : 16;
        expect_kept(block, memory, size);
        block->memory = memory;
    }
    block->size = size;
    expect_alone(model, block);
    fill(block);
}

/* What must fail, and change nothing. */
static void fail(struct model_block *block, uint64_t call) {
    void *none = NULL;
    errno = 0;
    switch (call >> 8 & 7) {
    case 0:
        MUST(!malloc(impossible) && errno == ENOMEM);
        break;
    case 1:
        MUST(!calloc(impossible, 2) && errno == ENOMEM);
        break;
    case 2:
        MUST(block->memory == NULL || (!realloc(block->memory, impossible) && errno == ENOMEM));
        break;
    case 3:
        MUST(!reallocarray(block->memory, impossible, 4) && errno == ENOMEM);
        break;
    case 4:
        MUST(posix_memalign(&none, 24, 100) == EINVAL && !none && errno == 0);
        break;
    case 5:
        MUST(!aligned_alloc(odd, 100) && errno == EINVAL);
        break;
    case 6:
        MUST(!new_one_nothrow(impossible, &nothrow));
        break;
    default:
        MUST(!larder_process_try_resize(block->memory, impossible));
    }
}

/* What is alive is live; others' blocks come on top, and those that move between two looks. */
static void count(const struct model *model) {
    const struct names_mallinfo2 info = mallinfo2_here();
    size_t alive = 0;
    for (unsigned i = 0; i < MODEL_BLOCKS; i++)
        alive += model->block[i].size;
    MUST(!model->is_alone || info.uordblks >= alive);
    MUST(info.usmblks >= info.arena && info.arena >= info.keepcost);
    MUST(!model->is_alone || info.uordblks + info.fordblks == info.arena);
}

static void describe(void) {
    static const char end[] = "</malloc>\n";
    char text[INFO_BYTES] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    MUST(stream && malloc_info(1, stream) == EINVAL && malloc_info(0, stream) == 0);
    MUST(fclose(stream) == 0 && strncmp(text, "<malloc version=", 16) == 0);
    MUST(strcmp(text + strlen(text) - (sizeof end - 1), end) == 0);
}

static void look(const struct model *model, uint64_t call) {
    switch (call >> 8 & 7) {
    case 0:
    case 1:
        (void)malloc_trim(call >> 16 & 0xffff);
        break;
    case 2:
    case 3:
        MUST(mallopt((int)(call >> 16 & 7) - 4, (int)(call >> 20 & 0xffff)) == 1);
        break;
    case 4:
        describe();
        break;
    default:
        count(model);
    }
}

/* Not at all where another has the table; in a child of a fork that may be a thread left behind. */
static void exchange(struct model_block *block, uint64_t call) {
    if (pthread_mutex_trylock(&shared_lock) != 0)
        return;
    struct model_block *const other = &shared[call >> 16 & (SHARED - 1)], mine = *block;
    *block = *other;
    *other = mine;
    (void)pthread_mutex_unlock(&shared_lock);
}

void model_call(struct model *model, uint64_t call) {
    struct model_block *block = &model->block[(call >> 4) % MODEL_BLOCKS];
    const unsigned kind = call & 15;
    if (kind == 0)
        look(model, call);
    else if (kind == 1)
        fail(block, call);
    else if (kind == 2)
        exchange(block, call);
    else if (!block->memory)
        make(model, block, call);
    else if (kind < 8)
        resize(model, block, call);
    else
        end(block, call);
}

/* ---- the end ---- */

static void end_all(struct model_block *block, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (block[i].memory)
            end(&block[i], i << 8);
    }
}

void model_end(struct model *model) {
    end_all(model->block, MODEL_BLOCKS);
}

void model_end_shared(void) {
    end_all(shared, SHARED);
}
