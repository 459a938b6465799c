#include "jvm_string.h"

void
jvm_string_room_deinit(struct jvm_string_room *room)
{
    buffer_deinit(&room->decoded);
    buffer_deinit(&room->unescaped);
}

/* ---- decoding -------------------------------------------------------------------------------- */

enum { DELETE = 0x7f };

static bool
is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* How many of the bytes at the start, which are no UTF-8, Java's decoder takes for one U+FFFD: those that
   might have been the start of a character (sun.nio.cs.UTF_8), or a whole surrogate. */
static size_t
malformed_length(struct slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    unsigned char least = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[0] < 0xe0 || at[0] > 0xf4 || bytes.len < 2 || at[1] < least || at[1] > most) {
        return 1;
    }
    return bytes.len > 2 && is_continuation(at[2]) ? 3 : 2;
}

/* The valid bytes at the start go in as they are; json-smart drops a DEL if the string has an escape. */
static int
append_valid(struct buffer *out, struct slice valid, bool escaped, struct fault *fault)
{
    char *to = buffer_room(out, valid.len, fault);
    if (to == NULL) {
        return -1;
    }
    for (size_t i = 0; i < valid.len; i++) {
        if (!escaped || valid.ptr[i] != DELETE) {
            *to++ = valid.ptr[i];
        }
    }
    out->len = (size_t)(to - out->data);
    return 0;
}

static int
decode(struct slice bytes, bool escaped, struct buffer *out, struct fault *fault)
{
    out->len = 0;
    while (bytes.len > 0) {
        size_t valid = json_utf8_length(bytes);
        if (append_valid(out, (struct slice){bytes.ptr, valid}, escaped, fault) < 0) {
            return -1;
        }
        bytes = (struct slice){bytes.ptr + valid, bytes.len - valid};
        if (bytes.len > 0) {
            size_t malformed = malformed_length(bytes);
            bytes = (struct slice){bytes.ptr + malformed, bytes.len - malformed};
            if (buffer_append(out, SLICE("\xef\xbf\xbd"), fault) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- strings --------------------------------------------------------------------------------- */

static bool
is_decoded(const struct json_value *string)
{
    struct slice text = string->text;
    if (string->escaped && memchr(text.ptr, DELETE, text.len) != NULL) {
        return false;
    }
    return string->ascii || json_utf8_length(text) == text.len;
}

int
jvm_string(const struct json_value *string, struct jvm_string_room *room, struct slice *text,
           struct fault *fault)
{
    *text = string->text;
    if (!is_decoded(string)) {
        if (decode(string->text, string->escaped, &room->decoded, fault) < 0) {
            return -1;
        }
        *text = (struct slice){room->decoded.data, room->decoded.len};
    }
    if (string->escaped) {
        room->unescaped.len = 0;
        if (json_unescape(*text, &room->unescaped, fault) < 0) {
            return -1;
        }
        *text = (struct slice){room->unescaped.data, room->unescaped.len};
    }
    return 0;
}

/* Of the UTF-16 units that the UTF-8 stands for. */
uint32_t
jvm_string_hash(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    const unsigned char *end = at + text.len;
    uint32_t hash = 0;
    while (at < end) {
        uint32_t point = *at++;
        unsigned more = point < 0xc0 ? 0 : point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;
        point &= more == 0 ? 0x7f : 0x3fu >> more;
        for (; more > 0 && at < end; more--) {
            point = point << 6 | (*at++ & 0x3fu);
        }
        if (point >= 0x10000) {
            hash = 31 * hash + (0xd800 + ((point - 0x10000) >> 10));
            point = 0xdc00 + (point & 0x3ff);
        }
        hash = 31 * hash + point;
    }
    return hash;
}
