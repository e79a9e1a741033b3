/* page.c: see page.h. The linker has put the page in here as it is (lab.mk); a mark in it says
 * where the document goes. */
#include "page.h"

#include <string.h>

extern const char page_start[] __asm__("_binary_page_html_start");
extern const char page_end[] __asm__("_binary_page_html_end");

static const char MARK[] = "@LARDER_REPORT@";

static size_t page_bytes(void) {
    return (size_t)(page_end - page_start);
}

static const char *mark(void) {
    return memmem(page_start, page_bytes(), MARK, sizeof MARK - 1);
}

bool page_exists(void) {
    return mark() != NULL;
}

bool page_write_head(FILE *file) {
    const size_t bytes = (size_t)(mark() - page_start);
    return fwrite(page_start, 1, bytes, file) == bytes;
}

bool page_write_tail(FILE *file) {
    const char *tail = mark() + sizeof MARK - 1;
    const size_t bytes = (size_t)(page_end - tail);
    return fwrite(tail, 1, bytes, file) == bytes && fflush(file) == 0;
}
