/* refused.c: files that people have and that hold no events: sums over them, from which no order of
 * calls can be had. Said by name, because the way to a trace is another tool or option. */
#include "import/import.h"

#include <string.h>

static bool is_massif(const char *head, size_t count) {
    (void)count;
    return strncmp(head, "desc:", 5) == 0 && strstr(head, "\ntime_unit:");
}

static bool is_dhat(const char *head, size_t count) {
    (void)count;
    return *head == '{' && strstr(head, "\"dhatFileVersion\"");
}

static bool is_memray(const char *head, size_t count) {
    return count > 6 && memcmp(head, "memray", 6) == 0;
}

static bool is_heap_profile(const char *head, size_t count) {
    (void)count;
    return strncmp(head, "heap profile:", 13) == 0 || strncmp(head, "heap_v2/", 8) == 0;
}

static bool is_zip(const char *head, size_t count) {
    return count > 4 && memcmp(head, "PK\3\4", 4) == 0;
}

static bool is_ours(const char *head, size_t count) {
    return count > 4 && memcmp(head, "\x89LTR", 4) == 0;
}

const struct importer massif_importer = {
    .name = "massif",
    .is_it = is_massif,
    .refusal = "a massif file has snapshots of sums, not the calls: nothing to replay. "
               "larder record, or heaptrack, keeps the calls",
};

const struct importer dhat_importer = {
    .name = "dhat",
    .is_it = is_dhat,
    .refusal = "a DHAT file has sums for each call site, not the calls: nothing to replay. "
               "larder record, or heaptrack, keeps the calls",
};

const struct importer memray_importer = {
    .name = "memray",
    .is_it = is_memray,
    .refusal = "memray's file is read by memray only, and its exports are sums: nothing to replay. "
               "larder record python3 … keeps the calls",
};

const struct importer heap_profile_importer = {
    .name = "heap-profile",
    .is_it = is_heap_profile,
    .refusal = "a heap profile (gperftools, jemalloc) has sums of sampled blocks, not the calls: "
               "nothing to replay. larder record keeps the calls",
};

const struct importer zip_importer = {
    .name = "zip",
    .is_it = is_zip,
    .refusal = "a zip archive: unpack it, and import what is in it",
};

const struct importer ours_importer = {
    .name = "larder",
    .is_it = is_ours,
    .refusal = "a trace of larder already",
};
