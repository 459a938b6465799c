/* Numbers, both ways: any bits as a double, whose text is repr()'s and is read as the same double; any
   bytes as a text, which the reader takes as strtod does. */
#include <math.h>
#include <stdint.h>

#include "guarded.h"
#include "repr.h"
#include "require.h"

static struct guarded memory; /* kept from one input to the next */

static void
check_write(double number)
{
    char expected[REPR_ROOM];
    char *room = guarded_tail(&memory, JSON_DOUBLE_ROOM);
    struct buffer text = {.data = room, .cap = JSON_DOUBLE_ROOM, .fixed = true};
    REQUIRE(json_write_double(&text, number, NULL) == 0);
    REQUIRE(text.len == strlen(repr(number, expected)));
    REQUIRE(memcmp(text.data, expected, text.len) == 0);
    REQUIRE(repr_same(repr_read((struct slice){text.data, text.len}), number));
}

/* A text that the reader decides on is decided as strtod does, and what it made is written. */
static void
check_read(struct slice text)
{
    struct json_reader reader = json_reader(guarded_put(&memory, text), NULL);
    struct json_value value;
    double number;
    if (json_read(&reader, &value) < 0 || value.type != JSON_TYPE_FLOAT) {
        return;
    }
    if (repr_decided(&value) && json_double(&value, &number) && isfinite(number)) {
        check_write(number);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double number;
    check_read((struct slice){size > 0 ? (const char *)data : "", size});
    if (size >= sizeof number) {
        memcpy(&number, data, sizeof number);
        if (isfinite(number)) {
            check_write(number);
        }
    }
    return 0;
}
