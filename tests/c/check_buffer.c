#include <stdint.h>

#include "buffer.h"
#include "guarded.h"
#include "scarce.h"
#include "suites.h"

START_TEST(slices_compare_by_bytes)
{
    ck_assert(slice_equal(SLICE("end"), SLICE("end")));
    ck_assert(!slice_equal(SLICE("end"), SLICE("enD")));
    ck_assert(!slice_equal(SLICE("end"), SLICE("ending")));
    ck_assert(!slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    ck_assert(slice_equal(SLICE(""), (struct slice){NULL, 0}));
}
END_TEST

START_TEST(appends_in_order)
{
    struct buffer buffer = {0};
    ck_assert_int_eq(buffer_append(&buffer, SLICE("dog "), NULL), 0);
    ck_assert_int_eq(buffer_append(&buffer, SLICE("zebra"), NULL), 0);
    ck_assert(slice_equal((struct slice){buffer.data, buffer.len}, SLICE("dog zebra")));
    buffer_deinit(&buffer);
    ck_assert_ptr_null(buffer.data);
    ck_assert_uint_eq(buffer.len + buffer.cap, 0);
}
END_TEST

/* An empty slice is no failure, not even to a buffer that owns nothing yet. */
START_TEST(takes_nothing)
{
    struct fault fault = {0};
    struct buffer buffer = {0};
    ck_assert_int_eq(buffer_append(&buffer, SLICE(""), &fault), 0);
    ck_assert_int_eq(buffer_append(&buffer, (struct slice){NULL, 0}, &fault), 0);
    ck_assert_ptr_nonnull(buffer_room(&buffer, 0, &fault));
    ck_assert_int_eq(fault.code, FAULT_NONE);
    ck_assert_uint_eq(buffer.len, 0);
    buffer_deinit(&buffer);
}
END_TEST

/* Every length around the sizes that a growing buffer passes. */
START_TEST(grows_and_keeps_its_bytes)
{
    struct buffer buffer = {0};
    for (size_t i = 0; i < 5000; i++) {
        char byte = (char)(i * 31);
        ck_assert_int_eq(buffer_append(&buffer, (struct slice){&byte, 1}, NULL), 0);
    }
    ck_assert_uint_eq(buffer.len, 5000);
    ck_assert_uint_ge(buffer.cap, 5000);
    for (size_t i = 0; i < 5000; i++) {
        ck_assert_int_eq(buffer.data[i], (char)(i * 31));
    }
    buffer_deinit(&buffer);
}
END_TEST

START_TEST(a_fixed_buffer_is_filled_to_its_edge)
{
    struct guarded guarded = {0};
    struct buffer buffer = {.data = guarded_tail(&guarded, 10), .cap = 10, .fixed = true};
    struct fault fault = {0};
    ck_assert_int_eq(buffer_append(&buffer, SLICE("123456789"), &fault), 0);
    ck_assert_int_eq(buffer_append(&buffer, SLICE("ab"), &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_str_eq(fault.text, "11 bytes do not fit into a buffer of 10");
    ck_assert_uint_eq(buffer.len, 9);

    fault = (struct fault){0};
    ck_assert_int_eq(buffer_append(&buffer, SLICE("a"), &fault), 0);
    ck_assert_int_eq(buffer_append(&buffer, SLICE(""), &fault), 0);
    ck_assert(slice_equal((struct slice){buffer.data, buffer.len}, SLICE("123456789a")));
    ck_assert_ptr_null(buffer_room(&buffer, 1, &fault));
    ck_assert_int_eq(fault.code, FAULT_LIMIT);

    buffer_deinit(&buffer); /* what was borrowed is forgotten, not freed */
    ck_assert_ptr_null(buffer.data);
    ck_assert(!buffer.fixed);
    guarded_deinit(&guarded);
}
END_TEST

START_TEST(a_size_that_overflows_is_refused)
{
    static const size_t more[] = {SIZE_MAX, SIZE_MAX - 2, SIZE_MAX / 2, SIZE_MAX / 2 - 2};
    struct fault fault = {0};
    struct buffer buffer = {0};
    ck_assert_int_eq(buffer_append(&buffer, SLICE("abc"), NULL), 0);
    size_t cap = buffer.cap;
    ck_assert_int_eq(buffer_grow(&buffer, more[_i], &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_uint_eq(buffer.cap, cap);
    ck_assert(slice_equal((struct slice){buffer.data, buffer.len}, SLICE("abc")));
    buffer_deinit(&buffer);
}
END_TEST

START_TEST(without_memory_it_stays_as_it_was)
{
    static char long_text[1000];
    struct fault fault = {0};
    struct buffer buffer = {0};
    ck_assert_int_eq(buffer_append(&buffer, SLICE("abc"), NULL), 0);
    struct buffer before = buffer;

    scarce_begin(1);
    int result = buffer_append(&buffer, (struct slice){long_text, sizeof long_text}, &fault);
    ck_assert(scarce_end());
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(fault.code, FAULT_SYSTEM);
    ck_assert_str_eq(fault.text, "no memory for a buffer of 1024 bytes");
    ck_assert_ptr_eq(buffer.data, before.data);
    ck_assert_uint_eq(buffer.cap, before.cap);
    ck_assert(slice_equal((struct slice){buffer.data, buffer.len}, SLICE("abc")));
    buffer_deinit(&buffer);
}
END_TEST

Suite *
buffer_suite(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tcase = tcase_create("buffer");
    tcase_add_test(tcase, slices_compare_by_bytes);
    tcase_add_test(tcase, appends_in_order);
    tcase_add_test(tcase, takes_nothing);
    tcase_add_test(tcase, grows_and_keeps_its_bytes);
    tcase_add_test(tcase, a_fixed_buffer_is_filled_to_its_edge);
    tcase_add_loop_test(tcase, a_size_that_overflows_is_refused, 0, 4);
    tcase_add_test(tcase, without_memory_it_stays_as_it_was);
    suite_add_tcase(suite, tcase);
    return suite;
}
