/* symbols.c: names for code addresses. The table is made from the linked kernel by symbols.awk and
 * linked in a second pass, in a part of the image of its own, so it moves nothing it names. */
#include "symbols.h"
#include "kernel.h"

#include "layout.h"

const char *symbol_find(uintptr_t address, size_t *offset) {
    uint32_t low = 0, high = symbol_count;
    uint64_t wanted = address - IMAGE_BASE;

    if (address < IMAGE_BASE || symbol_count == 0 || wanted < symbols[0].offset ||
        wanted >= symbols[symbol_count - 1].offset)
        return NULL;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (symbols[middle].offset <= wanted)
            low = middle;
        else
            high = middle;
    }
    *offset = wanted - symbols[low].offset;
    return symbol_names + symbols[low].name;
}
