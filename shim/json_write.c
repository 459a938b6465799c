/* Writing JSON text, straight into the buffer that goes to Storm. */
#include "decimal.h"
#include "json.h"

#include <math.h>
#include <string.h>

#include "json_scan.h"

/* The escape of a control character, quote or backslash. Returns where the next byte goes. */
static char *
put_escape(char *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char to[] = "\"\\bfnrt";
    const char *found = c != 0 ? strchr(from, c) : NULL;
    *out++ = '\\';
    if (found != NULL) {
        *out++ = to[found - from];
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = hex[c >> 4];
    out[4] = hex[c & 15];
    return out + 5;
}

/* The rest of a string from `at` on, where escapes are, up to the closing quote. */
static int
write_string_on(struct buffer *out, const char *at, const char *end, struct fault *fault)
{
    uint64_t high = 0;
    while (at < end) {
        const char *special = scan_run(at, end, true, &high); /* UTF-8 goes out as it is */
        size_t run = (size_t)(special - at);
        bool escape = special < end;
        /* what is left, five bytes more for an escape of one of them, the closing quote */
        char *to = buffer_room(out, (size_t)(end - at) + (escape ? 5 : 0) + 1, fault);
        if (to == NULL) {
            return -1;
        }
        memcpy(to, at, run);
        to += run;
        if (escape) {
            to = put_escape(to, (unsigned char)*special);
        }
        out->len = (size_t)(to - out->data);
        at = special + escape;
    }
    out->data[out->len++] = '"';
    return 0;
}

int
json_write_string(struct buffer *out, struct slice utf8, struct fault *fault)
{
    const char *end = utf8.ptr + utf8.len;
    uint64_t high = 0;
    const char *special = scan_run(utf8.ptr, end, true, &high);
    size_t run = (size_t)(special - utf8.ptr);
    char *to = buffer_room(out, utf8.len + 2, fault);
    if (to == NULL) {
        return -1;
    }
    *to++ = '"';
    memcpy(to, utf8.ptr, run);
    to += run;
    if (special == end) { /* most strings are plain */
        *to = '"';
        out->len += utf8.len + 2;
        return 0;
    }
    out->len += run + 1;
    return write_string_on(out, special, end, fault);
}

/* How long the valid UTF-8 character at `at` is (1 to 4), or 0 if there is none. */
static size_t
utf8_char(const unsigned char *at, size_t left)
{
    unsigned char c = at[0];
    if (c < 0x80) {
        return 1;
    }
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || left < len) {
        return 0;
    }
    /* too long forms, surrogates and what is past U+10FFFF show in the second byte */
    unsigned char least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < least || at[1] > most) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

size_t
json_utf8_length(struct slice bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        size_t len = utf8_char((const unsigned char *)bytes.ptr + at, bytes.len - at);
        if (len == 0) {
            break;
        }
        at += len;
    }
    return at;
}

int
json_write_bytes(struct buffer *out, struct slice bytes, struct fault *fault)
{
    static const struct slice replacement = {"\xef\xbf\xbd", 3};
    struct buffer clean = {0};
    int result = -1;
    if (json_utf8_length(bytes) == bytes.len) {
        return json_write_string(out, bytes, fault);
    }
    while (bytes.len > 0) {
        size_t valid = json_utf8_length(bytes);
        struct slice good = {bytes.ptr, valid};
        size_t bad = valid < bytes.len;
        if (buffer_append(&clean, good, fault) < 0 ||
            (bad && buffer_append(&clean, replacement, fault) < 0)) {
            goto done;
        }
        bytes.ptr += valid + bad;
        bytes.len -= valid + bad;
    }
    result = json_write_string(out, (struct slice){clean.data, clean.len}, fault);
done:
    buffer_deinit(&clean);
    return result;
}

int
json_write_int(struct buffer *out, int64_t number, struct fault *fault)
{
    enum { DIGITS = 20 };
    char digits[DIGITS];
    char *at = digits + DIGITS;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *to = buffer_room(out, DIGITS, fault);
    if (to == NULL) {
        return -1;
    }
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--at = '-';
    }
    size_t len = (size_t)(digits + DIGITS - at);
    memcpy(to, at, len);
    out->len += len;
    return 0;
}

/* ---- doubles ---------------------------------------------------------------------------- */

enum { DIGITS = 17 }; /* as many as a double may take */

/* The eight digits of a number below 10^8, the first one in the lowest byte: split into four and
   four, and these in all lanes at once into twos and ones, with multiplications for the divisions.
   A double takes two of these: 260 instructions in all, where one division a digit makes 340. */
static inline uint64_t
split_digits(uint64_t number)
{
    uint64_t fours = number / 10000 + ((number % 10000) << 32);
    uint64_t hundreds = ((fours * 10486) >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds + ((fours - 100 * hundreds) << 16);
    uint64_t tens = ((twos * 103) >> 10) & UINT64_C(0x000f000f000f000f);
    return tens + ((twos - 10 * tens) << 8);
}

static inline void
put_word(char *out, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(out, &word, sizeof word);
}

/* Write exactly DIGITS digits. Returns how many there are before the zeros at the end. */
static inline int
put_digits(char *out, uint64_t digits)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    uint64_t rest = digits % UINT64_C(10000000000000000);
    uint64_t high = split_digits(rest / 100000000);
    uint64_t low = split_digits(rest % 100000000);
    out[0] = (char)('0' + digits / UINT64_C(10000000000000000));
    put_word(out + 1, high | zeros);
    put_word(out + 9, low | zeros);
    if (low != 0) {
        return 17 - __builtin_clzll(low) / 8;
    }
    return high != 0 ? 9 - __builtin_clzll(high) / 8 : 1;
}

/* As in 1.5e-07. Returns where the next byte goes. */
static char *
put_scientific(char *out, const char digits[DIGITS], int count, int exponent)
{
    int size = exponent < 0 ? -exponent : exponent;
    out[0] = digits[0];
    out[1] = '.';
    memcpy(out + 2, digits + 1, DIGITS - 1);
    out += count > 1 ? count + 1 : 1;
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    if (size >= 100) {
        *out++ = (char)('0' + size / 100);
    }
    *out++ = (char)('0' + size / 10 % 10);
    *out++ = (char)('0' + size % 10);
    return out;
}

/* Without an exponent: `before` digits stand before the point. Returns where the next byte goes. */
static inline char *
put_positional(char *out, const char digits[DIGITS], int count, int before)
{
    if (before <= 0) {
        memcpy(out, "0.000000", 8);
        memcpy(out + 2 - before, digits, DIGITS);
        return out + 2 - before + count;
    }
    memcpy(out, digits, DIGITS - 1);
    out[before] = '.';
    memcpy(out + before + 1, digits + before, DIGITS - 1);
    return out + (count > before ? count + 1 : before + 2);
}

int
json_write_double(struct buffer *out, double number, struct fault *fault)
{
    char *at = buffer_room(out, JSON_DOUBLE_ROOM, fault);
    if (at == NULL) {
        return -1;
    }
    if (signbit(number)) {
        *at++ = '-';
        number = -number;
    }
    /* Counts and the like need no search for their digits: 130 instructions in place of 245. */
    if (number < 1e15 && (double)(int64_t)number == number) {
        out->len = (size_t)(at - out->data);
        json_write_int(out, (int64_t)number, NULL);
        return buffer_append(out, SLICE(".0"), NULL);
    }
    struct decimal decimal = decimal_of(number);
    while (decimal.digits < UINT64_C(10000000000000000)) {
        decimal.digits *= 10;
        decimal.power--;
    }
    char digits[2 * DIGITS]; /* what is moved behind the point ends in what is never seen */
    int count = put_digits(digits, decimal.digits);
    int before = (int)decimal.power + DIGITS;
    at = before > -4 && before <= 16 ? put_positional(at, digits, count, before)
                                     : put_scientific(at, digits, count, before - 1);
    out->len = (size_t)(at - out->data);
    return 0;
}
