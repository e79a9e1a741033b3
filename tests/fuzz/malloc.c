/* Bytes as calls of malloc's whole family, eight to a call, against the model that the Linux home's
 * own tests have (tests/linux/support/family_model.h). The library is the one that is preloaded,
 * under other names (tests/linux/sanitized.mk). At the end nothing may be alive, and the instance
 * must be whole.
 */
#include "family_model.h"

#include "larder/larder.h"
#include "larder/process.h"
#include "larder/stats.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct model model = {.is_alone = true};
    struct larder_process_stats stats;
    struct larder_fatal fatal;
    uint64_t call;
    for (; size >= sizeof call; data += sizeof call, size -= sizeof call) {
        memcpy(&call, data, sizeof call);
        model_call(&model, call);
    }
    model_end(&model);
    model_end_shared();
    larder_process_stats(&stats);
    must(stats.live.now == 0);
    must(larder_validate(larder_process(), &fatal));
    return 0;
}
