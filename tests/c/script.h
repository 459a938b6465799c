/* Bytes, from a fuzzer or by chance, that say what happens next. */
#ifndef STORMCELL_TESTS_SCRIPT_H
#define STORMCELL_TESTS_SCRIPT_H

#include "buffer.h"

struct script {
    struct slice left;
};

/* The next byte, 0 at the end. */
static inline unsigned
script_byte(struct script *script)
{
    if (script->left.len == 0) {
        return 0;
    }
    script->left.len--;
    return (unsigned char)*script->left.ptr++;
}

/* The bytes that follow, as many as the next one says. */
static inline struct slice
script_bytes(struct script *script)
{
    size_t len = script_byte(script);
    len = len < script->left.len ? len : script->left.len;
    struct slice bytes = {script->left.ptr, len};
    script->left.ptr += len;
    script->left.len -= len;
    return bytes;
}

#endif
