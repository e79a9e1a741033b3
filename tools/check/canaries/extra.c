/* -Wextra: an argument nobody reads. */
int canary(int unread);
int canary(int unread) {
    return 1;
}
