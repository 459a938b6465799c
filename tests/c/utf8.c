#include "utf8.h"

/* The first code point that needs so many bytes; at the end the first that there is not. */
static const uint32_t starts[] = {0, 0, 0x80, 0x800, 0x10000, 0x110000};

size_t
utf8_put(char out[4], uint32_t point)
{
    static const uint32_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = 1;
    while (point >= starts[len + 1]) {
        len++;
    }
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 + point % 64);
        point /= 64;
    }
    out[0] = (char)(leads[len] + point);
    return len;
}

size_t
utf8_get(const char *bytes, size_t len, uint32_t *point)
{
    if (len == 0) {
        return 0;
    }
    uint32_t lead = (unsigned char)bytes[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size == 0 || lead >= 0xf8 || size > len) {
        return 0;
    }
    uint32_t value = size == 1 ? lead : lead % (1u << (7 - size));
    for (size_t i = 1; i < size; i++) {
        uint32_t next = (unsigned char)bytes[i];
        if (next / 64 != 2) {
            return 0;
        }
        value = value * 64 + next % 64;
    }
    *point = value;
    return value >= starts[size] && value < starts[5] ? size : 0;
}
