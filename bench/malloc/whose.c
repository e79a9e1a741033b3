/* Prints the file malloc comes from: the driver asks under each preload, before it measures
 * anything. */
#include <dlfcn.h>
#include <stdio.h>

int main(void) {
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, "malloc");
    if (!address || !dladdr(address, &info))
        return 1;
    puts(info.dli_fname);
    return 0;
}
