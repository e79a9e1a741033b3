/* sizeclass.h: from a size to its class and back.
 *
 * 16, 32, … 128 bytes, then eight classes to each doubling: 144, 160, … 256, 288, … up to
 * LARDER_CLASS_MAX_BYTES. A request wastes less than an eighth of its class from 128 bytes on, 15
 * bytes below. Every class is a multiple of 16; every power of two is a class. Pure.
 */
#ifndef CORE_SIZECLASS_H
#define CORE_SIZECLASS_H

#include "base.h"

#define CLASS_STEP 16u /* bytes between classes up to CLASS_LINEAR_BYTES */
#define CLASS_LINEAR_BYTES 128u
#define CLASS_LINEAR (CLASS_LINEAR_BYTES / CLASS_STEP)
#define CLASS_LINEAR_SHIFT 7u /* log2 CLASS_LINEAR_BYTES */
#define CLASS_STEPS_SHIFT 3u  /* log2 of the classes in each doubling */
#define CLASS_MAX_SHIFT ((unsigned)(31 - __builtin_clz(LARDER_CLASS_MAX_BYTES)))
#define CLASS_COUNT (CLASS_LINEAR + ((CLASS_MAX_SHIFT - CLASS_LINEAR_SHIFT) << CLASS_STEPS_SHIFT))

/* Class 0 … CLASS_COUNT - 1 of a size of 1 … LARDER_CLASS_MAX_BYTES bytes. */
static inline unsigned sizeclass_of(size_t size_bytes) {
    size_t last = size_bytes - 1;
    if (last < CLASS_LINEAR_BYTES) {
        return (unsigned)(last / CLASS_STEP);
    }
    /* last = 1xxx… in binary; the three bits below the leading one choose among eight classes. */
    unsigned shift = highest_bit(last) - CLASS_STEPS_SHIFT;
    return (unsigned)(last >> shift) +
           ((shift - (CLASS_LINEAR_SHIFT - CLASS_STEPS_SHIFT)) << CLASS_STEPS_SHIFT);
}

/* Bytes of a class. */
static inline size_t sizeclass_bytes(unsigned class) {
    if (class < CLASS_LINEAR) {
        return (size_t)(class + 1) * CLASS_STEP;
    }
    unsigned doubling = (class - CLASS_LINEAR) >> CLASS_STEPS_SHIFT;
    unsigned step = (class - CLASS_LINEAR) & ((1u << CLASS_STEPS_SHIFT) - 1);
    return (size_t)((1u << CLASS_STEPS_SHIFT) + step + 1)
           << (CLASS_LINEAR_SHIFT - CLASS_STEPS_SHIFT + doubling);
}

#endif
