/* What the files of this folder were recorded from: 60 blocks of 48 to 54 bytes, of which 50 are
 * freed, a block that grows five times, one of calloc and one of posix_memalign. README.md has the
 * commands. */
#include <mcheck.h>
#include <stdlib.h>

struct node {
    struct node *next;
    char text[40];
};

static struct node *make(int i) {
    struct node *node = malloc(sizeof *node + (size_t)(i % 7));
    node->next = NULL;
    return node;
}

int main(int argc, char **argv) {
    struct node *list = NULL;
    void *aligned;
    (void)argv;
    if (argc > 1)
        mtrace();
    for (int i = 0; i < 60; i++) {
        struct node *node = make(i);
        node->next = list;
        list = node;
    }
    char *text = malloc(10);
    for (int i = 0; i < 5; i++)
        text = realloc(text, (size_t)20 << i);
    free(text);
    free(calloc(3, 100));
    if (posix_memalign(&aligned, 256, 1000) == 0)
        free(aligned);
    for (int i = 0; list && i < 50; i++) {
        struct node *next = list->next;
        free(list);
        list = next;
    }
    if (argc > 1)
        muntrace();
    return 0;
}
