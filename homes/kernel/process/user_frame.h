/* user_frame.h: frames that processes hold: who brought one in, and how many use it.
 *
 * A frame that a fork shares is used by several address spaces, each of which may only read it;
 * the last to leave gives it back. A record of 8 bytes for each frame of RAM, made once at start;
 * of a block of 2 MiB the first one counts its users.
 */
#ifndef PROCESS_USER_FRAME_H
#define PROCESS_USER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define USER_BLOCK_ORDER 9u

/* Make the records. Once; out of memory is fatal. */
void user_frames_setup(void);

/* A frame (order 0) or a block (USER_BLOCK_ORDER) for process `owner`, used once, reading as zero
 * iff `zeroed`. Its address, or UINT64_MAX iff there is none, or a test wants it to fail. A block
 * is not worth a reclaim: there is none as long as nobody made one whole. */
uint64_t user_frame_take(uint32_t owner, unsigned order, bool zeroed);

/* One more uses it. */
void user_frame_share(uint64_t address);

/* More than one use it. The answer "no" stays right for as long as the caller, the one user, does
 * not share it. */
bool user_frame_is_shared(uint64_t address);

/* How many use it. */
uint64_t user_frame_users(uint64_t address);

/* One less uses it; the last gives it back. */
void user_frame_leave(uint64_t address, unsigned order);

/* The one user from now on. */
void user_frame_own(uint64_t address, unsigned order, uint32_t owner);

/* Who brought this frame in, or made it his own; 0 iff it is no process's. For looking: may be
 * a moment old. */
uint32_t user_frame_owner(uint64_t address);

/* Frames that processes hold, a shared one counted once. */
uint64_t user_frames_held(void);

#endif
