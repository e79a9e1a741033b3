/* objects.h: the object caches that processes are made of; the shell's `caches` shows them. */
#ifndef PROCESS_OBJECTS_H
#define PROCESS_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

enum object_kind {
    OBJECT_PROCESS,
    OBJECT_SPACE,
    OBJECT_REGION,
    OBJECT_TABLE, /* reads as zero */
    OBJECT_STACK,
    OBJECT_KINDS
};

#define KERNEL_STACK_BYTES 16384u

/* Make the caches. Once; out of memory is fatal. */
void objects_setup(void);

/* An object, contents undefined but for tables. NULL iff there is no memory or a test wants it
 * to fail. */
void *object_take(enum object_kind kind);
void object_give(enum object_kind kind, void *object);

size_t object_bytes(enum object_kind kind);

/* Frames in the slabs of all of them. */
uint64_t objects_frames(void);

/* Objects in use. Exact when nothing else runs. */
uint64_t objects_live(enum object_kind kind);

#endif
