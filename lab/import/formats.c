/* formats.c: which formats of other people's traces there are. */
#include "import/import.h"

extern const struct importer text_importer;

const struct importer *const importers[] = {
    &text_importer,
    NULL,
};
