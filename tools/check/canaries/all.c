/* -Wall: a static function nobody calls. */
static int canary(void) {
    return 1;
}
