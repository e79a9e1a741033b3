/* hello [WORDS]: the smallest program: says who it is, and its arguments. */
#include "user.h"

int main(int argc, char **argv) {
    printf("hello from process %u", getpid());
    for (int i = 1; i < argc; i++)
        printf(" %s", argv[i]);
    printf("\n");
    return argc - 1;
}
