/* UTF-8 as its definition has it, by arithmetic: what the byte tables of the codec are held to. */
#ifndef STORMCELL_TESTS_UTF8_H
#define STORMCELL_TESTS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Write a code point, a surrogate as its three bytes. Returns the length, 1 to 4. */
size_t utf8_put(char out[4], uint32_t point);

/* Read the character at the start of `bytes`. Returns its length and sets *point (a surrogate is
   one of three bytes), or 0 where there is none. */
size_t utf8_get(const char *bytes, size_t len, uint32_t *point);

#endif
