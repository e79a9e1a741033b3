/* whatis.c: larder whatis PROCESS ADDRESS: what lies at an address of a running process. */
#include "command.h"
#include "control.h"
#include "say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_LENGTH = 64 };

static const char *text(const json_t *answer, const char *name) {
    const char *value = json_string_value(json_object_get(answer, name));
    return value ? value : "?";
}

static void write_object(const json_t *answer) {
    (void)printf("object    %s, %" PRIu64 " bytes of cache %s, %s\n", text(answer, "object"),
                 control_number(answer, "object_bytes"), text(answer, "cache"),
                 text(answer, "state"));
    (void)printf("offset    %" JSON_INTEGER_FORMAT " bytes into it\n",
                 json_integer_value(json_object_get(answer, "offset")));
}

static void write_event(const json_t *answer, const char *what, const char *by, const char *ago) {
    if (json_object_get(answer, by))
        (void)printf("%-9s by %s, %" PRIu64 " ms ago\n", what, text(answer, by),
                     control_number(answer, ago));
}

static void write_answer(const json_t *answer) {
    (void)printf("address   %s\nkind      %s\n", text(answer, "address"), text(answer, "kind"));
    if (json_object_get(answer, "start"))
        (void)printf("block     %s, %" PRIu64 " bytes\n", text(answer, "start"),
                     control_number(answer, "size_bytes"));
    if (json_object_get(answer, "object"))
        write_object(answer);
    write_event(answer, "allocated", "allocated_by", "allocated_ms_ago");
    write_event(answer, "freed", "freed_by", "freed_ms_ago");
}

static int run(int argc, char **argv) {
    char request[REQUEST_LENGTH], *end = NULL;
    if (argc != 3)
        return say_usage("say which process and which address");
    const unsigned long long address = strtoull(argv[2], &end, 16);
    if (end == argv[2] || *end || argv[2][0] == '-')
        return say_usage("an address is a hexadecimal number, not \"%s\"", argv[2]);
    (void)snprintf(request, sizeof request, "whatis 0x%llx", address);
    json_t *answer = control_ask(argv[1], request);
    if (!answer)
        return EXIT_TROUBLE;
    write_answer(answer);
    json_decref(answer);
    return EXIT_OK;
}

const struct command whatis_command = {
    .name = "whatis",
    .arguments = "PROCESS ADDRESS",
    .summary = "Say what an address of a running process is: frame, cache, object, owner",
    .help = "PROCESS is a number, or the path of a control socket; ADDRESS is hexadecimal. Who\n"
            "allocated an object is known if the process runs with LARDER_DEBUG=U.\n",
    .run = run,
};
