/* -Wstrict-prototypes: () takes anything. */
int canary();
