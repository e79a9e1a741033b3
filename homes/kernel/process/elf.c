/* elf.c: see elf.h. Nothing in the file is believed: every offset is compared with its length. */
#include "elf.h"

#include "kernel.h"

#define ELF_MAGIC 0x464c457fu /* 0x7f, "ELF" */
#define ELF_64_LITTLE 0x0102u
#define ELF_EXECUTABLE 2u
#define ELF_ARM64 183u
#define ELF_LOAD 1u
#define ELF_FLAG_EXECUTE 1u
#define ELF_FLAG_WRITE 2u

struct elf_header {
    uint32_t magic;
    uint16_t class_and_order;
    uint8_t rest[10];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_offset, sections_offset;
    uint32_t flags;
    uint16_t header_bytes, segment_bytes, segment_count;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, physical_address, file_bytes, memory_bytes, align_bytes;
};

const struct program *program_find(const char *name) {
    for (const struct program *program = programs; program->name != NULL; program++)
        if (strcmp(program->name, name) == 0)
            return program;
    return NULL;
}

static bool is_program(const struct elf_header *header, uint64_t bytes) {
    return bytes >= sizeof *header && header->magic == ELF_MAGIC &&
           header->class_and_order == ELF_64_LITTLE && header->type == ELF_EXECUTABLE &&
           header->machine == ELF_ARM64 && header->segment_bytes == sizeof(struct elf_segment) &&
           header->segments_offset % 8 == 0 && header->segments_offset <= bytes &&
           header->segment_count * sizeof(struct elf_segment) <= bytes - header->segments_offset;
}

static unsigned protection_of(uint32_t flags) {
    return REGION_READ | (flags & ELF_FLAG_WRITE ? REGION_WRITE : 0) |
           (flags & ELF_FLAG_EXECUTE ? REGION_EXECUTE : 0);
}

/* In the file, in whole pages from a page on, in the place for programs; and what cannot be written
 * is all in the file. */
static bool is_sound(const struct elf_segment *segment, uint64_t bytes) {
    unsigned protection = protection_of(segment->flags);
    uint64_t mapped = (segment->file_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

    return segment->offset % PAGE_BYTES == 0 && segment->address % PAGE_BYTES == 0 &&
           segment->offset <= bytes && segment->file_bytes <= bytes - segment->offset &&
           segment->file_bytes <= segment->memory_bytes && segment->address >= IMAGE_START &&
           segment->memory_bytes <= MAP_START &&
           segment->address <= MAP_START - segment->memory_bytes &&
           (protection & (REGION_WRITE | REGION_EXECUTE)) != (REGION_WRITE | REGION_EXECUTE) &&
           ((protection & REGION_WRITE) || segment->memory_bytes <= mapped);
}

static int64_t load_segment(struct space *space, const unsigned char *file, uint64_t bytes,
                            const struct elf_segment *segment) {
    struct region region = {.kind = REGION_IMAGE, .protection = protection_of(segment->flags)};
    int64_t status;

    if (segment->type != ELF_LOAD || segment->memory_bytes == 0)
        return 0;
    if (!is_sound(segment, bytes))
        return -ERROR_BAD_PROGRAM;
    region.start = segment->address;
    region.end =
        (segment->address + segment->memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    region.source = segment->file_bytes != 0 ? file + segment->offset : NULL;
    region.source_bytes = segment->file_bytes;
    status = space_add(space, &region);
    if (status == 0 && region.end > space->heap_start)
        space->heap_start = space->heap_end = region.end;
    return status == -ERROR_INVALID ? -ERROR_BAD_PROGRAM : status;
}

static int64_t add_stack(struct space *space) {
    struct region guard = {.start = STACK_GUARD, .end = STACK_START, .kind = REGION_GUARD};
    struct region stack = {.start = STACK_START,
                           .end = STACK_END,
                           .kind = REGION_STACK,
                           .protection = REGION_READ | REGION_WRITE};
    int64_t status = space_add(space, &guard);

    return status == 0 ? space_add(space, &stack) : status;
}

int64_t elf_load(struct space *space, const unsigned char *file, uint64_t bytes, uint64_t *entry) {
    const struct elf_header *header = (const void *)file;
    const struct elf_segment *segment;
    int64_t status;

    if (!is_program(header, bytes))
        return -ERROR_BAD_PROGRAM;
    status = add_stack(space);
    segment = (const void *)(file + header->segments_offset);
    for (unsigned i = 0; status == 0 && i < header->segment_count; i++)
        status = load_segment(space, file, bytes, &segment[i]);
    *entry = header->entry;
    return status;
}
