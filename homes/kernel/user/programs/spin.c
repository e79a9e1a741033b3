/* spin [MILLIONS]: count so far and nothing else; for ever if not told. Only the timer ends its
 * turn.
 */
#include "user.h"

int main(int argc, char **argv) {
    uint64_t rounds = argc > 1 ? size_of_text(argv[1]) * 1000000ul : UINT64_MAX;

    for (uint64_t i = 0; i < rounds; i++)
        __asm__ volatile("" ::: "memory");
    return 0;
}
