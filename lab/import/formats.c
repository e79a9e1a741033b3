/* formats.c: which formats of other people's traces there are. The order is that of trying: those
 * that are known by their first bytes come before those that look like something on any line. */
#include "import/import.h"

extern const struct importer text_importer, rep_importer, android_importer, mtrace_importer,
    heaptrack_importer, calls_importer, bytehound_importer, kmem_importer;
extern const struct importer massif_importer, dhat_importer, memray_importer, heap_profile_importer,
    zip_importer, ours_importer;

const struct importer *const importers[] = {
    &ours_importer,   &zip_importer,       &massif_importer,
    &dhat_importer,   &memray_importer,    &heap_profile_importer,
    &text_importer,   &rep_importer,       &android_importer,
    &mtrace_importer, &heaptrack_importer, &bytehound_importer,
    &kmem_importer,   &calls_importer,     NULL,
};
