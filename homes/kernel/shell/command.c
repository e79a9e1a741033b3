/* command.c: see command.h. */
#include "command.h"

#include "kerneltest.h"

#include "process/elf.h"

#include "larder/cache.h"

static const struct command_table *const tables[] = {
    &look_commands, &hand_commands, &cache_commands, &process_commands, &run_commands};
#define TABLES (sizeof(tables) / sizeof(tables[0]))
#define NEAR 2u /* mistakes in a word for which a suggestion is made */

/* The i-th command of all tables, or NULL. */
static const struct command *command_at(unsigned i) {
    for (unsigned t = 0; t < TABLES; t++) {
        if (i < tables[t]->count)
            return &tables[t]->command[i];
        i -= tables[t]->count;
    }
    return NULL;
}

static const struct command *command_find(const char *name) {
    const struct command *command;
    for (unsigned i = 0; (command = command_at(i)) != NULL; i++)
        if (words_equal(command->name, name))
            return command;
    return NULL;
}

/* The command a person may have meant, or NULL. */
static const struct command *command_near(const char *name) {
    const struct command *command, *best = NULL;
    unsigned least = NEAR + 1;
    for (unsigned i = 0; (command = command_at(i)) != NULL; i++) {
        unsigned distance = words_distance(name, command->name);
        if (words_begins(command->name, name))
            distance = 0;
        if (distance < least) {
            least = distance;
            best = command;
        }
    }
    return best;
}

static void say_unknown(const char *name) {
    const struct command *near = command_near(name);
    printf("There is no command \"%.40s\".", name);
    if (near != NULL)
        printf(" Did you mean \"%s\"?", near->name);
    printf(" \"help\" lists them all.\n");
}

static void say_usage(const struct command *command) {
    printf("usage: %s%s%s\n", command->name, command->arguments[0] == '\0' ? "" : " ",
           command->arguments);
}

void command_run(char *line) {
    char *word[WORDS_MAX];
    log_line(LOG_DEBUG, "typed: %s", line);
    unsigned count = words_split(line, word);
    if (count == 0)
        return;
    const struct command *command = command_find(word[0]);
    if (command == NULL) {
        say_unknown(word[0]);
    } else if (count < command->words_min || count > command->words_max) {
        printf(count < command->words_min ? "Something is missing after \"%s\".\n"
                                          : "There is too much after \"%s\".\n",
               command->name);
        say_usage(command);
    } else {
        command->run(count, word);
    }
}

/* ---- Help ------------------------------------------------------------------------------------ */

static void help_all(void) {
    for (unsigned t = 0; t < TABLES; t++) {
        printf("%s\n", tables[t]->title);
        for (unsigned i = 0; i < tables[t]->count; i++) {
            const struct command *command = &tables[t]->command[i];
            printf("  %-8s %-21s %s\n", command->name, command->arguments, command->summary);
        }
    }
    printf("\"help NAME\" says more. Arrows, home, end and tab work; up and down go through\n"
           "the history; ctrl-a -e -k -u -w -l as in other shells; ctrl-c gives up.\n");
}

static void help_one(const char *name) {
    const struct command *command = command_find(name);
    if (command == NULL) {
        say_unknown(name);
        return;
    }
    say_usage(command);
    printf("%s\n%s", command->summary, command->help == NULL ? "" : command->help);
}

void command_help(unsigned count, char **word) {
    if (count == 1)
        help_all();
    else
        help_one(word[1]);
}

/* ---- Completion ------------------------------------------------------------------------------ */

static void offer(struct completion *completion, const char *word, const char *beginning) {
    if (completion->count < COMPLETIONS_MAX && words_begins(word, beginning))
        completion->word[completion->count++] = word;
}

static void offer_commands(struct completion *completion, const char *beginning) {
    const struct command *command;
    for (unsigned i = 0; (command = command_at(i)) != NULL; i++)
        offer(completion, command->name, beginning);
}

struct cache_offer {
    struct completion *completion;
    const char *beginning;
};

static void offer_cache(struct larder_cache *cache, void *context) {
    struct cache_offer *cache_offer = context;
    offer(cache_offer->completion, larder_cache_name(cache), cache_offer->beginning);
}

static void offer_cache_operand(struct completion *completion, unsigned index,
                                const char *beginning) {
    static const char *const verb[] = {"create", "alloc", "free", "shrink", "destroy"};
    struct cache_offer cache_offer = {completion, beginning};
    if (index == 1)
        for (unsigned i = 0; i < sizeof(verb) / sizeof(verb[0]); i++)
            offer(completion, verb[i], beginning);
    if (index == 2)
        larder_caches_each(kernel_larder, offer_cache, &cache_offer);
}

static void offer_tests(struct completion *completion, const char *beginning) {
    const char *name;
    for (unsigned i = 0; (name = kerneltest_name(i)) != NULL; i++)
        offer(completion, name, beginning);
}

static void offer_programs(struct completion *completion, const char *beginning) {
    for (const struct program *program = programs; program->name != NULL; program++)
        offer(completion, program->name, beginning);
}

void command_complete(void *context, const char *text, unsigned start,
                      struct completion *completion) {
    char before[LINE_BYTES], *word[WORDS_MAX];
    (void)context;
    memcpy(before, text, start);
    before[start] = '\0';
    unsigned count = words_split(before, word);
    if (count == 0) {
        offer_commands(completion, text + start);
        return;
    }
    const struct command *command = command_find(word[0]);
    if (command == NULL)
        return;
    if (command->operand == OPERAND_COMMAND && count == 1)
        offer_commands(completion, text + start);
    else if (command->operand == OPERAND_CACHE)
        offer_cache_operand(completion, count, text + start);
    else if (command->operand == OPERAND_TEST && count == 1)
        offer_tests(completion, text + start);
    else if (command->operand == OPERAND_PROGRAM && count == 1)
        offer_programs(completion, text + start);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

bool command_number(const char *what, const char *text, uint64_t least, uint64_t most,
                    uint64_t *value) {
    if (words_number(text, value) && *value >= least && *value <= most)
        return true;
    printf("%s must be a number from %llu to %llu, not \"%.40s\".\n", what,
           (unsigned long long)least, (unsigned long long)most, text);
    return false;
}

bool command_size(unsigned count, char **word, unsigned from, uint64_t *bytes, unsigned *used) {
    uint64_t unit = from + 1 < count ? words_unit(word[from + 1]) : 0;
    *used = unit > 0 ? 2 : 1;
    bool good =
        unit > 0 ? words_number(word[from], bytes) && !__builtin_mul_overflow(*bytes, unit, bytes)
                 : words_size(word[from], bytes);
    if (!good)
        printf("A size is a number such as 100, 64K, 2 M or 1G, not \"%.20s\".\n", word[from]);
    return good;
}
