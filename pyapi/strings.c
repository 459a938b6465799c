/* Short strings come again and again: words, keys, names of states. One that is still known is
   handed out again, with its hash computed and its memory warm (word count, with the Tuple refilled
   where it lies: 300 instructions a tuple). Strings that never repeat are not kept, so they cost a
   look and no memory. */
#include "pyapi.h"

/* The bytes of a string of 2 to 16 bytes: its first and its last few, which may overlap. */
struct ends {
    uint64_t first;
    uint64_t last;
};

static inline struct ends
ends_of(const char *at, size_t len)
{
    struct ends ends = {0, 0};
    if (len >= 8) {
        memcpy(&ends.first, at, 8);
        memcpy(&ends.last, at + len - 8, 8);
    } else if (len >= 4) {
        memcpy(&ends.first, at, 4);
        memcpy(&ends.last, at + len - 4, 4);
    } else {
        memcpy(&ends.first, at, 2);
        memcpy(&ends.last, at + len - 2, 2);
    }
    return ends;
}

static inline uint64_t
hash_of(struct ends ends, size_t len)
{
    uint64_t hash = (ends.first ^ len) * 0x9e3779b97f4a7c15u;
    return (hash ^ (hash >> 32) ^ ends.last) * 0xd6e8feb86659fd93u;
}

static inline bool
is_string(const struct string_cache *cache, size_t at, struct ends ends, size_t len)
{
    PyObject *string = cache->strings[at];
    if (string == NULL) {
        return false;
    }
#ifdef Py_LIMITED_API
    const struct string_bytes *its = &cache->bytes[at];
    return its->len == len && its->first == ends.first && its->last == ends.last;
#else
    if ((size_t)PyUnicode_GET_LENGTH(string) != len) {
        return false;
    }
    struct ends its = ends_of((const char *)PyUnicode_1BYTE_DATA(string), len);
    return its.first == ends.first && its.last == ends.last;
#endif
}

static void
keep(struct string_cache *cache, size_t at, PyObject *string, struct ends ends, size_t len)
{
    Py_XSETREF(cache->strings[at], Py_NewRef(string));
#ifdef Py_LIMITED_API
    cache->bytes[at] = (struct string_bytes){ends.first, ends.last, len};
#else
    (void)ends;
    (void)len;
#endif
}

PyObject *
string_ascii(struct module_state *state, struct slice text)
{
    if (text.len < 2 || text.len > STRING_SHORT_MAX) { /* Python shares those of one character */
        return text.len < 2 ? PyUnicode_DecodeLatin1(text.ptr, (Py_ssize_t)text.len, NULL)
                            : string_from_ascii(text);
    }
    struct ends ends = ends_of(text.ptr, text.len);
    uint64_t hash = hash_of(ends, text.len);
    struct string_cache *cache = &state->strings;
    size_t at = hash % STRING_CACHE_SIZE;
    uint16_t mark = (uint16_t)(hash >> 48);
    if (is_string(cache, at, ends, text.len)) {
        return Py_NewRef(cache->strings[at]);
    }
    PyObject *string = string_from_ascii(text);
    if (string != NULL && cache->seen[at] == mark) { /* for the second time: it may come again */
        keep(cache, at, string, ends, text.len);
    }
    cache->seen[at] = mark;
    return string;
}

void
strings_clear(struct module_state *state)
{
    for (size_t i = 0; i < STRING_CACHE_SIZE; i++) {
        Py_CLEAR(state->strings.strings[i]);
    }
}
