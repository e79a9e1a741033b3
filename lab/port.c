/* port.c: see port.h. lab.mk renames two functions of homes/linux/port.c to make room for these. */
#include "port.h"

#include "larder/port.h"

static struct {
    uint64_t clock_ms;
    bool (*purged)(void *context, void *pointer, size_t size_bytes);
    void *context;
} port;

void port_set_clock_ms(uint64_t now_ms) {
    port.clock_ms = now_ms;
}

void port_set_purge_listener(bool (*purged)(void *context, void *pointer, size_t size_bytes),
                             void *context) {
    port.purged = purged;
    port.context = context;
}

uint64_t larder_port_clock_ms(void) {
    return port.clock_ms;
}

bool linux_port_purge(void *pointer, size_t size_bytes);

bool larder_port_purge(void *pointer, size_t size_bytes) {
    if (port.purged && port.purged(port.context, pointer, size_bytes))
        return false; /* it may read as before */
    return linux_port_purge(pointer, size_bytes);
}
