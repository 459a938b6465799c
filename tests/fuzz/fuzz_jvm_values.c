/* A tuple's values on their way through a JVM: any text is passed on, rewritten or refused, and what is
   rewritten is JSON, which comes out of the next JVM as it went in; what is flat is split as our reader
   splits it. That the rules are a JVM's, tests/storm/test_values.py shows. */
#include <stdint.h>

#include "guarded.h"
#include "json.h"
#include "jvm_hash.h"
#include "jvm_values.h"
#include "require.h"

enum { VALUES_MAX = 64 };

static struct guarded memory; /* kept from one input to the next */

/* But for what was a BigDecimal with a power of ten: shorter now, it may be a Double to the next; and for a
   key in which a surrogate has become a question mark: another key, in another place. */
static void
check_again(struct slice written)
{
    struct buffer again = {0};
    int32_t hash;
    REQUIRE(jvm_values(written, &again, NULL) == 0);
    REQUIRE(slice_equal((struct slice){again.data, again.len}, written) ||
            memchr(written.ptr, 'E', written.len) != NULL ||
            memchr(written.ptr, '?', written.len) != NULL);
    REQUIRE(jvm_hash(written, &hash, NULL) == 0 || written.len > 1000);
    buffer_deinit(&again);
}

static void
check_split(struct slice text, const struct slice *values, size_t count)
{
    struct json_reader reader = json_reader(text, NULL);
    struct json_value bracket;
    struct slice element;
    int32_t hash;
    REQUIRE(json_read(&reader, &bracket) == 0 && bracket.type == JSON_TYPE_ARRAY);
    for (size_t i = 0; i < count; i++) {
        REQUIRE(json_element(&reader, i == 0) == 1 && json_skip(&reader, &element) == 0);
        REQUIRE(element.ptr == values[i].ptr && element.len == values[i].len);
        REQUIRE(jvm_hash(element, &hash, NULL) == 0 || element.len > 1000);
    }
    REQUIRE(json_element(&reader, count == 0) == 0 && json_finish(&reader) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text =
        guarded_put(&memory, (struct slice){size > 0 ? (const char *)data : "", size});
    struct slice values[VALUES_MAX];
    struct buffer out = {0};
    struct fault fault = {0};
    size_t count;
    int32_t hash;
    bool readable = jvm_values(text, &out, &fault) == 0;
    REQUIRE(readable == (fault.code == FAULT_NONE) && fault.offset <= size);
    if (readable) {
        check_again((struct slice){out.data, out.len});
    }
    if (jvm_values_flat(text, values, VALUES_MAX, &count)) {
        REQUIRE(readable);
        check_split(text, values, count);
    }
    REQUIRE(readable || !jvm_value_flat(text));
    fault = (struct fault){0};
    REQUIRE((jvm_hash(text, &hash, &fault) == 0) == (fault.code == FAULT_NONE));
    buffer_deinit(&out);
    return 0;
}
