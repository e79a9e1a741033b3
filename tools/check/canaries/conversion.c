/* -Wconversion: half of the value is lost. */
unsigned canary(unsigned long wide);
unsigned canary(unsigned long wide) {
    return wide;
}
