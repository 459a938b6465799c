/* Finding the end of what a JSON string can carry as it is; for reading and for writing. */
#ifndef STORMCELL_JSON_SCAN_H
#define STORMCELL_JSON_SCAN_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Eight bytes at once: a bit at the top of each byte that is `"`, `\`, below 0x20 or over 0x7e.
   (x - 0x01..) & ~x & 0x80.. marks zero bytes, exactly up to the first one, which is all we use.) */
static inline uint64_t
special_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"');
    uint64_t slash = word ^ (ones * '\\');
    uint64_t found = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | (word - ones * 0x20);
    return (found | word | (word + ones)) & tops;
}

/* The first special byte at or after `at`, one at a time. */
static inline const char *
plain_run_end_slowly(const char *at, const char *end)
{
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f && *at != '"' &&
           *at != '\\') {
        at++;
    }
    return at;
}

/* The same in eight bytes; `at` + 8 if there is none. */
static inline const char *
plain_run_end_8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t found = special_bytes(word);
    if (found == 0) {
        return at + sizeof word;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return at + (__builtin_ctzll(found) >> 3);
#else
    return plain_run_end_slowly(at, at + sizeof word);
#endif
}

#ifdef __SSE2__
/* And in 16. */
static inline const char *
plain_run_end_16(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)); /* signed: over 0x7f too */
    __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    __m128i any = _mm_or_si128(_mm_or_si128(quote, slash), _mm_or_si128(low, del));
    unsigned found = (unsigned)_mm_movemask_epi8(any);
    return found != 0 ? at + __builtin_ctz(found) : at + 16;
}
#else
static inline const char *
plain_run_end_16(const char *at)
{
    const char *found = plain_run_end_8(at);
    return found < at + 8 ? found : plain_run_end_8(at + 8);
}
#endif

/* The first byte at or after `at` that ends a plain run of a string: `"`, `\`, a control character,
   DEL (json-smart drops it where it is not escaped) or a byte over 0x7f; or `end`.
   What is left behind the last whole step is looked at together with bytes before it, which are
   known to be plain: a string of five bytes or more takes no loop over single ones. */
static inline const char *
plain_run_end(const char *at, const char *end)
{
    const char *start = at;
    for (; end - at >= 16; at += 16) {
        const char *found = plain_run_end_16(at);
        if (found < at + 16) {
            return found;
        }
    }
    if (end - start >= 16) {
        return at < end ? plain_run_end_16(end - 16) : end;
    }
    if (end - at >= 8) {
        const char *found = plain_run_end_8(at);
        return found < at + 8 ? found : plain_run_end_8(end - 8);
    }
    if (end - at >= 4) {
        uint32_t halves[2];
        uint64_t word;
        memcpy(&halves[0], at, 4);
        memcpy(&halves[1], end - 4, 4);
        memcpy(&word, halves, 8);
        if (special_bytes(word) == 0) {
            return end;
        }
    }
    return plain_run_end_slowly(at, end);
}

#endif
