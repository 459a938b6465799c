/* Strings that are not plain. Their escapes are undone as they are read where the reader has a buffer
   for it, so that each byte is looked at once (a line of 17 KB with 1,900 escapes:
   337,000 instructions as three passes, 139,000 as one). */
#include "json_reading.h"

/* ---- one escape ------------------------------------------------------------------------- */

/* What stands for one character behind a backslash, or 0. */
static inline char
simple_escape(char c)
{
    static const char simple[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                     ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    return (unsigned char)c < sizeof simple ? simple[(unsigned char)c] : 0;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Pass over the escape at the reader. */
static int
skip_escape(struct json_reader *reader)
{
    reader->at++;
    if (reader->at >= reader->end) {
        return json_wrong(reader, "an escape was expected");
    }
    char c = *reader->at;
    if (c != 'u') {
        if (simple_escape(c) == 0) {
            return json_wrong(reader, "not an escape of JSON");
        }
        reader->at++;
        return 0;
    }
    reader->at++;
    for (int i = 0; i < 4; i++, reader->at++) {
        if (reader->at >= reader->end || !is_hex(*reader->at)) {
            return json_wrong(reader, "four hexadecimal digits were expected after \\u");
        }
    }
    return 0;
}

static unsigned
hex4(const char *at)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
        value = value * 16 + digit;
    }
    return value;
}

/* Write a code point (a lone surrogate as its three bytes). Returns where the next one goes. */
static char *
put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | (c >> 6));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | (c >> 12));
        *out++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | (c >> 18));
        *out++ = (char)(0x80 | ((c >> 12) & 0x3f));
        *out++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* The code point of the \uXXXX at *at (behind the u), with the low half of a pair if it follows. */
static unsigned
unescape_unicode(const char **at, const char *end)
{
    unsigned c = hex4(*at);
    *at += 4;
    if (c >= 0xd800 && c < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        unsigned low = hex4(*at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *at += 6;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return c;
}

/* Undo the escape at *at, which has been checked; the low half of a pair is taken along if all of it is
   before `end`. Returns where the next byte goes. */
static inline char *
undo_escape(char *to, const char **at, const char *end)
{
    char c = (*at)[1];
    *at += 2;
    if (c == 'u') {
        return put_utf8(to, unescape_unicode(at, end));
    }
    *to = simple_escape(c);
    return to + 1;
}

/* ---- reading ---------------------------------------------------------------------------- */

/* Pass over the rest of the string and leave the escapes in it. */
static int
read_as_written(struct json_reader *reader, struct json_value *value, uint64_t high)
{
    while (reader->at < reader->end) {
        if (*reader->at == '"') {
            value->text.len = (size_t)(reader->at - value->text.ptr);
            value->ascii = high == 0;
            reader->at++;
            return 0;
        }
        if (*reader->at != '\\') {
            return json_wrong(reader, "a control character must be escaped in a string");
        }
        value->escaped = true;
        if (skip_escape(reader) < 0) {
            return -1;
        }
        reader->at = scan_run(reader->at, reader->end, false, &high);
    }
    return json_wrong(reader, "the end of a string was expected");
}

/* Copy what is plain from *at on, up to `end`. Returns where the next byte goes. */
static inline char *
copy_run(char *to, const char **at, const char *end, uint64_t *high)
{
    const char *from = *at;
    *at = scan_run(from, end, false, high);
    memcpy(to, from, (size_t)(*at - from));
    return to + (*at - from);
}

enum { BLOCK = 64, BLOCK_AHEAD = BLOCK + 32 }; /* a run is copied 32 bytes at a time */

/* Copy up to BLOCK bytes; up to 31 more are read and written. */
static inline char *
copy_short(char *to, const char *from, size_t len)
{
    memcpy(to, from, 32);
    if (len > 32) {
        memcpy(to + 32, from + 32, 32);
    }
    return to + len;
}

/* Unescape a block that holds nothing but plain bytes and simple escapes: past it in both places, or false.
   BLOCK_AHEAD bytes can be read. One look at all of it tells where the escapes are, so the processor
   is seldom surprised. */
static inline bool
unescape_block(char **to, const char **at, uint64_t *high)
{
    const char *start = *at;
    const char *from = start;
    char *out = *to;
    struct scan_block block = scan_block(start);
    uint64_t escaped = block.slashes << 1;
    if ((block.ends & ~escaped) != 0 || (block.slashes & escaped) != 0 ||
        (block.slashes >> (BLOCK - 1)) != 0) {
        return false; /* the string's end, a backslash that is escaped, an escape across the bound */
    }
    for (uint64_t left = block.slashes; left != 0; left &= left - 1) {
        const char *slash = start + __builtin_ctzll(left);
        char c = simple_escape(slash[1]);
        if (c == 0) {
            return false;
        }
        out = copy_short(out, from, (size_t)(slash - from));
        *out++ = c;
        from = slash + 2;
    }
    *to = copy_short(out, from, (size_t)(start + BLOCK - from));
    *at = start + BLOCK;
    *high |= block.high;
    return true;
}

/* The low half of a surrogate pair may follow the escape at the reader: pass over it too if it is one. */
static int
skip_pair(struct json_reader *reader)
{
    const char *first = reader->at;
    if (skip_escape(reader) < 0) {
        return -1;
    }
    if (first[1] == 'u' && reader->end - reader->at >= 6 && reader->at[0] == '\\' &&
        reader->at[1] == 'u') {
        const char *second = reader->at;
        if (skip_escape(reader) < 0) {
            return -1;
        }
        const char *low = first + 2;
        if (unescape_unicode(&low, reader->at) < 0x10000) {
            reader->at = second;
        }
    }
    return 0;
}

/* Unescape a piece of the string. 1: there is more, 0: the closing quote has been passed, -1. */
static int
unescape_piece(struct json_reader *reader, struct buffer *out, uint64_t *high)
{
    enum { PIECE = 8 << 10, SLACK = BLOCK_AHEAD + 32 };
    char *to = buffer_room(out, PIECE + SLACK, reader->fault);
    if (to == NULL) {
        return -1;
    }
    const char *end = reader->end - reader->at > PIECE ? reader->at + PIECE : reader->end;
    int more = 1;
    while (more > 0 && reader->at < end) {
        while (end - reader->at >= BLOCK_AHEAD && unescape_block(&to, &reader->at, high)) {
        }
        to = copy_run(to, &reader->at, end, high);
        if (reader->at == end) {
            break;
        }
        const char *escape = reader->at;
        if (*escape == '\\' && end - escape > 1 && simple_escape(escape[1]) != 0) {
            *to++ = simple_escape(escape[1]);
            reader->at += 2;
        } else if (*escape == '\\') {
            more = skip_pair(reader) < 0 ? -1 : 1;
            to = more < 0 ? to : undo_escape(to, &escape, reader->at);
            *high |= 1; /* who knows: at most it is decoded with more care */
        } else if (*escape == '"') {
            reader->at++;
            more = 0;
        } else {
            more = json_wrong(reader, "a control character must be escaped in a string");
        }
    }
    out->len = (size_t)(to - out->data);
    return more;
}

static int
read_unescaped(struct json_reader *reader, struct json_value *value, uint64_t high)
{
    struct buffer *out = reader->unescaped;
    int more = 1;
    out->len = 0;
    if (buffer_append(out, value->text, reader->fault) < 0) {
        return -1;
    }
    while (more > 0 && reader->at < reader->end) {
        more = unescape_piece(reader, out, &high);
    }
    if (more > 0) {
        return json_wrong(reader, "the end of a string was expected");
    }
    value->escaped = true;
    value->ascii = high == 0;
    value->text = (struct slice){out->data, out->len};
    return more;
}

int
json_read_string_on(struct json_reader *reader, struct json_value *value, uint64_t high)
{
    bool escape = reader->at < reader->end && *reader->at == '\\';
    return escape && reader->unescaped != NULL ? read_unescaped(reader, value, high)
                                               : read_as_written(reader, value, high);
}

/* ---- afterwards ------------------------------------------------------------------------- */

int
json_unescape(struct slice text, struct buffer *out, struct fault *fault)
{
    char *to = buffer_room(out, text.len, fault); /* unescaping never makes text longer */
    if (to == NULL) {
        return -1;
    }
    const char *at = text.ptr;
    const char *end = at + text.len;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t run = (size_t)((slash != NULL ? slash : end) - at);
        memcpy(to, at, run);
        to += run;
        at += run;
        if (at < end) {
            to = undo_escape(to, &at, end);
        }
    }
    out->len = (size_t)(to - out->data);
    return 0;
}
