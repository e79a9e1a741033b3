/* -Werror: what the others find is refused, not only said. */
static int canary(void) {
    return 1;
}
