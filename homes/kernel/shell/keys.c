/* keys.c: see keys.h. One function per state; each either stays, or returns to KEYS_PLAIN with the
 * key that was completed. */
#include "keys.h"

#define BYTE_BEL 0x07u
#define BYTE_ESC 0x1bu
#define BYTE_DEL 0x7fu
#define BYTE_SPACE 0x20u

struct key_pair {
    uint8_t byte;
    enum key key;
};

static const struct key_pair control_keys[] = {
    {0x01, KEY_HOME},          /* ctrl-a */
    {0x02, KEY_LEFT},          /* ctrl-b */
    {0x03, KEY_CANCEL},        /* ctrl-c */
    {0x04, KEY_END_OF_INPUT},  /* ctrl-d */
    {0x05, KEY_END},           /* ctrl-e */
    {0x06, KEY_RIGHT},         /* ctrl-f */
    {0x08, KEY_BACKSPACE},     /* ctrl-h */
    {0x09, KEY_TAB},           /* ctrl-i */
    {0x0a, KEY_ENTER},         /* ctrl-j */
    {0x0b, KEY_KILL_TO_END},   /* ctrl-k */
    {0x0c, KEY_CLEAR},         /* ctrl-l */
    {0x0d, KEY_ENTER},         /* ctrl-m */
    {0x0e, KEY_DOWN},          /* ctrl-n */
    {0x10, KEY_UP},            /* ctrl-p */
    {0x15, KEY_KILL_TO_START}, /* ctrl-u */
    {0x17, KEY_KILL_WORD},     /* ctrl-w */
    {BYTE_DEL, KEY_BACKSPACE},
};

/* Last byte of ESC [ … and ESC O …. */
static const struct key_pair letter_keys[] = {
    {'A', KEY_UP},   {'B', KEY_DOWN}, {'C', KEY_RIGHT},  {'D', KEY_LEFT},
    {'H', KEY_HOME}, {'F', KEY_END},  {'R', KEY_REPORT},
};

/* The number n of ESC [ n ~. */
static const struct key_pair tilde_keys[] = {
    {1, KEY_HOME}, {3, KEY_DELETE}, {4, KEY_END}, {7, KEY_HOME}, {8, KEY_END},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static enum key find(const struct key_pair *pair, unsigned long count, unsigned byte) {
    for (unsigned long i = 0; i < count; i++)
        if (pair[i].byte == byte)
            return pair[i].key;
    return KEY_UNKNOWN;
}

void keys_init(struct keys *keys) {
    *keys = (struct keys){.state = KEYS_PLAIN};
}

/* How many continuation bytes follow this first byte of a UTF-8 character. */
static unsigned utf8_following(uint8_t byte) {
    if (byte >= 0xf0u)
        return 3;
    if (byte >= 0xe0u)
        return 2;
    return byte >= 0xc0u ? 1 : 0;
}

/* One KEY_UNKNOWN per character, not per byte. */
static enum key beyond_ascii(struct keys *keys, uint8_t byte) {
    bool continues = (byte & 0xc0u) == 0x80u;
    if (continues && keys->utf8_left > 0) {
        keys->utf8_left--;
        return KEY_NONE;
    }
    keys->utf8_left = utf8_following(byte);
    return KEY_UNKNOWN;
}

static enum key plain(struct keys *keys, uint8_t byte) {
    bool after_return = keys->after_return;
    keys->after_return = byte == '\r';
    if (byte >= 0x80u)
        return beyond_ascii(keys, byte);
    keys->utf8_left = 0;
    if (byte == '\n' && after_return)
        return KEY_NONE;
    if (byte == BYTE_ESC) {
        keys->state = KEYS_ESCAPE;
        return KEY_NONE;
    }
    if (byte < BYTE_SPACE || byte == BYTE_DEL)
        return find(control_keys, COUNT(control_keys), byte);
    keys->text = (char)byte;
    return KEY_TEXT;
}

/* A control character inside a sequence: the sequence was cut short. What follows is meant. */
static enum key cut_short(struct keys *keys, uint8_t byte) {
    keys->state = KEYS_PLAIN;
    return plain(keys, byte);
}

static enum key done(struct keys *keys, enum key key) {
    keys->state = KEYS_PLAIN;
    return key;
}

static void begin_csi(struct keys *keys) {
    keys->state = KEYS_CSI;
    keys->index = 0;
    keys->number[0] = keys->number[1] = 0;
}

/* ESC b, ESC f and ESC DEL are what "alt" does on most terminals. */
static enum key after_escape(struct keys *keys, uint8_t byte) {
    switch (byte) {
    case '[':
        begin_csi(keys);
        return KEY_NONE;
    case 'O':
        keys->state = KEYS_SS3;
        return KEY_NONE;
    case ']':
    case 'P':
    case '^':
    case '_':
        keys->state = KEYS_STRING;
        return KEY_NONE;
    case 'b':
        return done(keys, KEY_WORD_LEFT);
    case 'f':
        return done(keys, KEY_WORD_RIGHT);
    case BYTE_DEL:
        return done(keys, KEY_KILL_WORD);
    default:
        return byte < BYTE_SPACE ? cut_short(keys, byte) : done(keys, KEY_UNKNOWN);
    }
}

static void add_digit(struct keys *keys, unsigned digit) {
    if (keys->index >= KEYS_NUMBERS)
        return;
    unsigned value = keys->number[keys->index] * 10 + digit;
    keys->number[keys->index] = value < KEYS_NUMBER_MAX ? value : KEYS_NUMBER_MAX;
}

/* ctrl-arrow is ESC [ 1 ; 5 C. */
static enum key csi_key(const struct keys *keys, uint8_t byte) {
    if (byte == '~')
        return find(tilde_keys, COUNT(tilde_keys), keys->number[0]);
    bool modified = keys->number[1] > 1;
    if (modified && byte == 'C')
        return KEY_WORD_RIGHT;
    if (modified && byte == 'D')
        return KEY_WORD_LEFT;
    return find(letter_keys, COUNT(letter_keys), byte);
}

static enum key in_csi(struct keys *keys, uint8_t byte) {
    if (byte < BYTE_SPACE)
        return cut_short(keys, byte);
    if (byte >= '0' && byte <= '9') {
        add_digit(keys, (unsigned)(byte - '0'));
        return KEY_NONE;
    }
    if (byte == ';')
        keys->index++;
    if (byte < 0x40u)
        return KEY_NONE;
    return done(keys, byte < BYTE_DEL ? csi_key(keys, byte) : KEY_UNKNOWN);
}

static enum key in_ss3(struct keys *keys, uint8_t byte) {
    if (byte < BYTE_SPACE)
        return cut_short(keys, byte);
    enum key key = find(letter_keys, COUNT(letter_keys), byte);
    return done(keys, key == KEY_REPORT ? KEY_UNKNOWN : key);
}

static enum key in_string(struct keys *keys, uint8_t byte) {
    if (byte == BYTE_BEL)
        return done(keys, KEY_UNKNOWN);
    return byte < BYTE_SPACE ? cut_short(keys, byte) : KEY_NONE;
}

enum key keys_feed(struct keys *keys, uint8_t byte) {
    switch (keys->state) {
    case KEYS_ESCAPE:
        return after_escape(keys, byte);
    case KEYS_CSI:
        return in_csi(keys, byte);
    case KEYS_SS3:
        return in_ss3(keys, byte);
    case KEYS_STRING:
        return in_string(keys, byte);
    case KEYS_PLAIN:
    default:
        return plain(keys, byte);
    }
}
