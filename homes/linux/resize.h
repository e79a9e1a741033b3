/* resize.h: changing the size of a block where it stands.
 */
#ifndef RESIZE_H
#define RESIZE_H

#include <stdbool.h>
#include <stddef.h>

/* larder_try_resize() of a block of ours, for which the heap also grows where the block has nothing
 * behind it but the end of what is usable. */
bool resize_in_place(void *pointer, size_t size_bytes);

#endif
