/* newlib_heap.c: malloc and its family for newlib on the region heap.
 *
 * Memory comes from _sbrk() in steps; what it adds behind the region extends it, so memory taken in
 * many small steps is still one stretch. If somebody else moved the break meanwhile, that stretch
 * is given up for growing. newlib itself calls the forms with a reentrancy structure; all are here,
 * in one object, so that the linker takes none from the library. Locks: LARDER_FIT_LOCK.
 */
#include "larder/fit.h"

#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stdlib.h>

#ifndef MCU_BREAK_STEP
#define MCU_BREAK_STEP 1024u
#endif

void *_sbrk(ptrdiff_t bytes);

static struct larder_fit heap;
static struct larder_fit_region region;
static unsigned char *limit; /* of what _sbrk() gave; NULL: nothing yet */

/* More memory, enough for `bytes` and its headers; false iff there is none. */
static bool extend(size_t bytes) {
    size_t step = bytes + 4 * LARDER_FIT_ALIGN;
    step = step < MCU_BREAK_STEP ? MCU_BREAK_STEP : step;
    if (step < bytes || step > PTRDIFF_MAX) {
        return false;
    }
    unsigned char *more = _sbrk((ptrdiff_t)step);
    if (more == (void *)-1 && step > bytes + 4 * LARDER_FIT_ALIGN) {
        step = bytes + 4 * LARDER_FIT_ALIGN;
        more = _sbrk((ptrdiff_t)step);
    }
    if (more == (void *)-1) {
        return false;
    }
    if (limit == NULL) {
        limit = more + step;
        return larder_fit_init(&heap, LARDER_FIT_GOOD) &&
               larder_fit_add_region(&heap, &region, more, step, 0, 0) > 0;
    }
    if (more != limit) {
        return false;
    }
    limit = more + step;
    return larder_fit_grow(&heap, &region, limit) > 0;
}

static void *get(struct _reent *reent, size_t align, size_t bytes) {
    void *pointer = limit != NULL ? larder_fit_aligned(&heap, align, bytes) : NULL;
    size_t room = align > LARDER_FIT_ALIGN ? bytes + 2 * align : bytes;
    if (pointer == NULL && bytes != 0 && room >= bytes && extend(room)) {
        pointer = larder_fit_aligned(&heap, align, bytes);
    }
    if (pointer == NULL) {
        reent->_errno = ENOMEM;
    }
    return pointer;
}

/* malloc(0) is a pointer of its own, as newlib's is. */
void *_malloc_r(struct _reent *reent, size_t bytes) {
    return get(reent, 1, bytes != 0 ? bytes : 1);
}

void _free_r(struct _reent *reent, void *pointer) {
    (void)reent;
    larder_fit_free(&heap, pointer);
}

void *_calloc_r(struct _reent *reent, size_t count, size_t bytes) {
    size_t total = bytes != 0 && count > SIZE_MAX / bytes ? SIZE_MAX : count * bytes;
    unsigned char *pointer = _malloc_r(reent, total);
    for (size_t i = 0; pointer != NULL && i < total; i++) {
        pointer[i] = 0;
    }
    return pointer;
}

void *_realloc_r(struct _reent *reent, void *pointer, size_t bytes) {
    if (pointer == NULL) {
        return _malloc_r(reent, bytes);
    }
    if (bytes == 0) {
        _free_r(reent, pointer);
        return NULL;
    }
    void *moved = larder_fit_realloc(&heap, pointer, bytes);
    if (moved == NULL && extend(bytes)) {
        moved = larder_fit_realloc(&heap, pointer, bytes);
    }
    if (moved == NULL) {
        reent->_errno = ENOMEM;
    }
    return moved;
}

void *_memalign_r(struct _reent *reent, size_t align, size_t bytes) {
    return get(reent, align, bytes);
}

size_t _malloc_usable_size_r(struct _reent *reent, void *pointer) {
    (void)reent;
    return larder_fit_size_of(&heap, pointer);
}

void *malloc(size_t bytes) {
    return _malloc_r(_REENT, bytes);
}

void free(void *pointer) {
    _free_r(_REENT, pointer);
}

void *calloc(size_t count, size_t bytes) {
    return _calloc_r(_REENT, count, bytes);
}

void *realloc(void *pointer, size_t bytes) {
    return _realloc_r(_REENT, pointer, bytes);
}

void *memalign(size_t align, size_t bytes) {
    return _memalign_r(_REENT, align, bytes);
}

void *aligned_alloc(size_t align, size_t bytes) {
    return _memalign_r(_REENT, align, bytes);
}

size_t malloc_usable_size(void *pointer) {
    return _malloc_usable_size_r(_REENT, pointer);
}
