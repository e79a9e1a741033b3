/* -Wmissing-prototypes: a global function that no header declares. */
int canary(void) {
    return 1;
}
