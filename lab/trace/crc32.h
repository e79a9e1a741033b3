/* crc32.h: the checksum of a block: CRC-32 as in Ethernet, zlib and PNG (polynomial 0xedb88320,
 * reflected, all bits inverted before and after). */
#ifndef LAB_TRACE_CRC32_H
#define LAB_TRACE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Go on from `crc`, the checksum of what came before; 0 to begin. */
uint32_t crc32_of(uint32_t crc, const void *bytes, size_t count);

#endif
