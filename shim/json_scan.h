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

/* The first byte at or after `at` that ends a plain run of a string: `"`, `\`, a control character,
   DEL (json-smart drops it where it is not escaped) or a byte over 0x7f; or `end`. */
static inline const char *
plain_run_end(const char *at, const char *end)
{
#ifdef __SSE2__
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)); /* signed: over 0x7f too */
        __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
        __m128i any = _mm_or_si128(_mm_or_si128(quote, slash), _mm_or_si128(low, del));
        int found = _mm_movemask_epi8(any);
        if (found != 0) {
            return at + __builtin_ctz((unsigned)found);
        }
        at += 16;
    }
#endif
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t found = special_bytes(word);
        if (found != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return at + (__builtin_ctzll(found) >> 3);
#else
            break;
#endif
        }
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f && *at != '"' &&
           *at != '\\') {
        at++;
    }
    return at;
}

#endif
