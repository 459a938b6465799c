/* Finding the end of what a JSON string can carry as it is; for reading and for writing. 16 bytes a step
   where the processor can, else eight. Both ways are compiled everywhere and tested against each other;
   STORMCELL_PORTABLE (the preset `debug`) leaves only the portable one. */
#ifndef STORMCELL_JSON_SCAN_H
#define STORMCELL_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SCAN_INLINE static inline __attribute__((always_inline))

/* What ends a run is `"`, `\`, a control character, and for writing DEL as well, which json-smart drops
   where it is not escaped. `high` gets a bit where a byte over 0x7f was passed. */
SCAN_INLINE bool
scan_special(unsigned char c, bool writing)
{
    return c < 0x20 || c == '"' || c == '\\' || (writing && c == 0x7f);
}

/* One by one. */
SCAN_INLINE const char *
scan_slowly(const char *at, const char *end, bool writing, uint64_t *high)
{
    for (; at < end && !scan_special((unsigned char)*at, writing); at++) {
        *high |= (unsigned char)*at & 0x80;
    }
    return at;
}

/* Eight bytes at once: a bit at the top of each special one.
   ((x - 0x01..) & ~x & 0x80.. marks zero bytes, exactly up to the first one, which is all we use.) */
SCAN_INLINE uint64_t
scan_word(uint64_t word, bool writing)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"');
    uint64_t slash = word ^ (ones * '\\');
    uint64_t del = word ^ (ones * 0x7f);
    uint64_t found =
        ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word);
    return (writing ? found | ((del - ones) & ~del) : found) & tops;
}

/* The first special one of eight bytes; `at` + 8 if there is none. */
SCAN_INLINE const char *
scan_8(const char *at, bool writing, uint64_t *high)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t found = scan_word(word, writing);
    if (found == 0) {
        *high |= word & 0x8080808080808080u;
        return at + sizeof word;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    *high |= word & 0x8080808080808080u & (found ^ (found - 1));
    return at + (__builtin_ctzll(found) >> 3);
#else
    return scan_slowly(at, at + sizeof word, writing, high);
#endif
}

/* The first special one of 16 bytes; `at` + 16 if there is none. */
SCAN_INLINE const char *
scan_16_portable(const char *at, bool writing, uint64_t *high)
{
    const char *found = scan_8(at, writing, high);
    return found < at + 8 ? found : scan_8(at + 8, writing, high);
}

#if defined(__SSE2__) && !defined(STORMCELL_PORTABLE)
SCAN_INLINE const char *
scan_16(const char *at, bool writing, uint64_t *high)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i any = _mm_or_si128(_mm_or_si128(quote, slash), low);
    if (writing) {
        any = _mm_or_si128(any, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    }
    unsigned found = (unsigned)_mm_movemask_epi8(any);
    unsigned tops = (unsigned)_mm_movemask_epi8(bytes);
    *high |= tops & (found ^ (found - 1)); /* those before it; all where there is none */
    return found != 0 ? at + __builtin_ctz(found) : at + 16;
}
#else
SCAN_INLINE const char *
scan_16(const char *at, bool writing, uint64_t *high)
{
    return scan_16_portable(at, writing, high);
}
#endif

/* What is where in a block of 64 bytes: a bit a byte, the lowest for the first. */
struct scan_block {
    uint64_t slashes;
    uint64_t ends; /* quotes and control characters */
    uint64_t high; /* over 0x7f */
};

/* A bit for each of eight bytes whose highest bit is set, which are all that `tops` has. */
SCAN_INLINE uint64_t
scan_gather(uint64_t tops)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    tops = __builtin_bswap64(tops);
#endif
    return ((tops >> 7) * 0x0102040810204080u) >> 56;
}

/* The top bit of each byte that is zero; exact for all eight. */
SCAN_INLINE uint64_t
scan_zeros(uint64_t word)
{
    const uint64_t rest = 0x7f7f7f7f7f7f7f7fu;
    return ~(((word & rest) + rest) | word | rest);
}

SCAN_INLINE struct scan_block
scan_block_portable(const char *at)
{
    const uint64_t ones = 0x0101010101010101u;
    struct scan_block block = {0, 0, 0};
    for (int i = 0; i < 64; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, sizeof word);
        uint64_t ends = scan_zeros(word ^ (ones * '"')) | scan_zeros(word & (ones * 0xe0));
        block.slashes |= scan_gather(scan_zeros(word ^ (ones * '\\'))) << i;
        block.ends |= scan_gather(ends) << i;
        block.high |= scan_gather(word & (ones * 0x80)) << i;
    }
    return block;
}

#if defined(__SSE2__) && !defined(STORMCELL_PORTABLE)
SCAN_INLINE struct scan_block
scan_block(const char *at)
{
    struct scan_block block = {0, 0, 0};
    for (int i = 0; i < 64; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        block.slashes |= (uint64_t)(unsigned)_mm_movemask_epi8(slash) << i;
        block.ends |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(quote, low)) << i;
        block.high |= (uint64_t)(unsigned)_mm_movemask_epi8(bytes) << i;
    }
    return block;
}
#else
SCAN_INLINE struct scan_block
scan_block(const char *at)
{
    return scan_block_portable(at);
}
#endif

/* Fewer than 16 bytes: two looks that overlap, the second one over bytes that are known to be plain. */
SCAN_INLINE const char *
scan_short(const char *at, const char *end, bool writing, uint64_t *high)
{
    if (end - at >= 8) {
        const char *found = scan_8(at, writing, high);
        return found < at + 8 ? found : scan_8(end - 8, writing, high);
    }
    if (end - at >= 4) {
        uint32_t halves[2];
        uint64_t word;
        memcpy(&halves[0], at, 4);
        memcpy(&halves[1], end - 4, 4);
        memcpy(&word, halves, 8);
        if (scan_word(word, writing) == 0) {
            *high |= word & 0x8080808080808080u;
            return end;
        }
    }
    return scan_slowly(at, end, writing, high);
}

/* The first special byte at or after `at`, or `end`. */
SCAN_INLINE const char *
scan_run(const char *at, const char *end, bool writing, uint64_t *high)
{
    if (end - at < 16) {
        return scan_short(at, end, writing, high);
    }
    for (; end - at >= 16; at += 16) {
        const char *found = scan_16(at, writing, high);
        if (found < at + 16) {
            return found;
        }
    }
    return at < end ? scan_16(end - 16, writing, high) : end;
}

#endif
