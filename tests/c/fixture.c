#include "fixture.h"

#include "suites.h"

struct guarded memory;
struct buffer out;
struct fault fault;

void
fixture_setup(void)
{
    fault = (struct fault){0};
}

void
fixture_teardown(void)
{
    guarded_deinit(&memory);
    buffer_deinit(&out);
}

struct json_reader
reader_of(struct slice text)
{
    fault = (struct fault){0};
    return json_reader(guarded_put(&memory, text), &fault);
}

struct slice
text_of(const char *string)
{
    return (struct slice){string, strlen(string)};
}

void
check_slice(struct slice found, struct slice expected)
{
    ck_assert_msg(slice_equal(found, expected), "found %.*s (%zu bytes), expected %.*s (%zu bytes)",
                  (int)found.len, found.len > 0 ? found.ptr : "", found.len, (int)expected.len,
                  expected.ptr, expected.len);
}

void
check_out(struct slice expected)
{
    check_slice((struct slice){out.data, out.len}, expected);
}

void
check_fault(enum fault_code code, size_t offset, const char *text)
{
    ck_assert_int_eq(fault.code, code);
    ck_assert_str_eq(fault.text, text);
    ck_assert_uint_eq(fault.offset, offset);
}
