/* -Wundef: a misspelt macro counts as 0. */
#if LARDER_ASERTIONS
#error never
#endif
int canary(void);
int canary(void) {
    return 1;
}
