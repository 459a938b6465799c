#include "jvm_values.h"

#include "guarded.h"
#include "jvm_hash.h"
#include "scarce.h"
#include "suites.h"

static struct fault fault;
static struct buffer out;

static void
setup(void)
{
    fault = (struct fault){0};
    out = (struct buffer){0};
}

static void
teardown(void)
{
    buffer_deinit(&out);
}

static struct slice
text_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

/* ---- the usual ------------------------------------------------------------------------------- */

START_TEST(plain_values_are_split)
{
    struct slice values[8];
    size_t count;
    const char *text = "[\"dog\", 12,-7,1.25 ,true,null,\"d\303\251j\303\240 /\", 0.5]";
    static const char *const expected[] = {
        "\"dog\"", "12", "-7", "1.25", "true", "null", "\"d\303\251j\303\240 /\"", "0.5"};
    ck_assert(jvm_values_flat(text_of(text), values, 8, &count));
    ck_assert_uint_eq(count, 8);
    for (size_t i = 0; i < count; i++) {
        ck_assert(slice_equal(values[i], text_of(expected[i])));
    }
    ck_assert(!jvm_values_flat(text_of(text), values, 7, &count));
    ck_assert(jvm_values_flat(text_of("[ ]"), values, 0, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

static const char *const not_flat[] = {
    "",
    "[",
    "[1",
    "1]",
    "[,]",
    "[1,]",
    "[1,,2]",
    "[1 2]",
    "[{}]",
    "[[]]",
    "[\"a\\n\"]",
    "[\"a\nb\"]",
    "[1e5]",
    "[-0]",
    "[007]",
    "[.5]",
    "[5.]",
    "[--1]",
    "[1.2.3]",
    "[NaN]",
    "[tru]",
    "[truefalse]",
    "[\"a]",
    "[\"\xff\"]",
    "[\"\xed\xa0\x80\"]",
    "[1]x",
    "[-]",
    "\"a\"",
    "[\"12345678\001\"]",
    "[Infinity]",
};

START_TEST(all_else_is_not_flat)
{
    struct slice values[8];
    size_t count;
    struct slice text = text_of(not_flat[_i]);
    struct guarded guarded = {0};
    ck_assert_msg(!jvm_values_flat(guarded_put(&guarded, text), values, 8, &count), "%s",
                  not_flat[_i]);
    guarded_deinit(&guarded);
}
END_TEST

START_TEST(one_value_is_flat)
{
    static const char *const flat[] = {"\"a-7\"", "12", "-7", "0.25", "true", "null"};
    static const char *const others[] = {"", "\"a\\n\"", "[1]", "1e5", "-0", "12 ", "\"a\"b", "{}"};
    for (size_t i = 0; i < sizeof flat / sizeof flat[0]; i++) {
        ck_assert_msg(jvm_value_flat(text_of(flat[i])), "%s", flat[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ck_assert_msg(!jvm_value_flat(text_of(others[i])), "%s", others[i]);
    }
}
END_TEST

/* ---- all others ------------------------------------------------------------------------------ */

static const struct {
    const char *json;
    const char *written;
} rewritten[] = {
    {"[ 1 , \"a\" ]", "[1,\"a\"]"},
    {"[-0,-0.0,1e400,-1e999,1e300]", "[0,-0.0,null,null,1e300]"},
    /* BigDecimals */
    {"[1.0000000000000000000e400]", "[1.0000000000000000000E+400]"},
    {"[1.2345678901234568e+16,1.2345678901234568e+15]", "[12345678901234568,1234567890123456.8]"},
    {"[-0.00000000000000000000,1234567890123456e-200]", "[0E-20,1.234567890123456E-185]"},
    {"[0.00000012345678901234567,-0.0000123456789012345]",
     "[1.2345678901234567E-7,-0.0000123456789012345]"},
    {"[18446744073709551616]", "[18446744073709551616]"},
    {"[NaN,Infinity,-Infinity]", "[NaN,\"Infinity\",\"-Infinity\"]"},
    {"[\"\\ud83d\\ude00 \\ud800 \\udc00x\"]", "[\"\360\237\230\200 ? ?x\"]"},
    {"[\"a\\/b\\u0041\"]", "[\"a/bA\"]"},
    {"[\"\xff\"]", "[\"\357\277\275\"]"},
    {"[\"\xe2\x82 \xed\xa0\x80\xc0\x80\"]",
     "[\"\357\277\275 \357\277\275\357\277\275\357\277\275\"]"},
    {"[\"a\x7f\",\"a\x7f\\t\"]", "[\"a\\u007f\",\"a\\t\"]"}, /* beside an escape it is left out */
    {"[{}]", "[{}]"},
    {"[{\"a\":1,\"b\":2,\"a\":3}]", "[{\"a\":3,\"b\":2}]"},
    {"[{\"b\":1,\"\\u0061\":[true,false,null]}]", "[{\"a\":[true,false,null],\"b\":1}]"},
    /* a HashMap's order, as Java lists it */
    {"[{\"key0\":0,\"key7\":1,\"key14\":2,\"key21\":3,\"key28\":4,\"key35\":5,\"key42\":6,"
     "\"key49\":7,"
     "\"key56\":8,\"key63\":9,\"key70\":10,\"key77\":11,\"key84\":12,\"key91\":13,\"key98\":14,"
     "\"key105\":15,\"key112\":16,\"key119\":17,\"key126\":18,\"key133\":19,\"key140\":20,"
     "\"key147\":21,\"key154\":22,\"key161\":23,\"key168\":24,\"key175\":25,\"key182\":26,"
     "\"key189\":27,\"key196\":28,\"key203\":29}]",
     "[{\"key0\":0,\"key119\":17,\"key84\":12,\"key7\":1,\"key154\":22,\"key21\":3,\"key175\":25,"
     "\"key42\":6,\"key112\":16,\"key63\":9,\"key133\":19,\"key14\":2,\"key35\":5,\"key196\":28,"
     "\"key56\":8,\"key91\":13,\"key147\":21,\"key168\":24,\"key105\":15,\"key70\":10,"
     "\"key126\":18,\"key203\":29,\"key77\":11,\"key98\":14,\"key189\":27,\"key161\":23,"
     "\"key182\":26,\"key140\":20,\"key28\":4,\"key49\":7}]"},
};

START_TEST(come_out_as_a_jvm_writes_them)
{
    const char *json = rewritten[_i].json;
    ck_assert_msg(jvm_values(text_of(json), &out, &fault) == 0, "%s: %s", json, fault.text);
    struct slice written = {out.data, out.len};
    ck_assert_msg(slice_equal(written, text_of(rewritten[_i].written)), "%s: %.*s", json,
                  (int)out.len, out.data);
}
END_TEST

static const char *const wrong[] = {"",      "[",         "[1",        "[1,]",
                                    "[1]]",  "[1] 2",     "[{\"a\"}]", "[{\"a\":}]",
                                    "[tru]", "[\"\\x\"]", "[{1:2}]"};

START_TEST(what_is_no_json_is_a_fault)
{
    ck_assert_int_eq(jvm_values(text_of(wrong[_i]), &out, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_JSON);
}
END_TEST

START_TEST(depth_is_json_smarts)
{
    enum { MOST = JVM_DEPTH_MAX - 1 }; /* the message around it is one */
    char text[2 * MOST + 2];
    memset(text, '[', MOST + 1);
    memset(text + MOST + 1, ']', MOST + 1);
    ck_assert_int_eq(jvm_values((struct slice){text + 1, (size_t)2 * MOST}, &out, &fault), 0);
    ck_assert_int_eq(jvm_values((struct slice){text, (size_t)2 * MOST + 2}, &out, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
}
END_TEST

/* Each allocation fails once: that is a fault, and nothing is lost. */
START_TEST(without_memory_it_is_a_fault)
{
    const char *json = "[{\"b\":[1,\"\\ud800\\n\xff\"],\"a\":1.00000000000000000e-20}]";
    int32_t hash;
    for (unsigned nth = 1, failed = 1; failed; nth++) {
        fault = (struct fault){0};
        scarce_begin(nth);
        int result = jvm_values(text_of(json), &out, &fault);
        failed = scarce_end();
        ck_assert_int_eq(result, failed ? -1 : 0);
        ck_assert_int_eq(fault.code, failed ? FAULT_SYSTEM : FAULT_NONE);
        buffer_deinit(&out);
        ck_assert_uint_lt(nth, 100);
    }
    for (unsigned nth = 1, failed = 1; failed; nth++) {
        scarce_begin(nth);
        int result = jvm_hash(text_of(json), &hash, NULL);
        failed = scarce_end();
        ck_assert_int_eq(result, failed ? -1 : 0);
        ck_assert_uint_lt(nth, 100);
    }
}
END_TEST

Suite *
jvm_values_suite(void)
{
    Suite *suite = suite_create("jvm_values");
    TCase *tcase = tcase_create("jvm_values");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, plain_values_are_split);
    tcase_add_loop_test(tcase, all_else_is_not_flat, 0, sizeof not_flat / sizeof not_flat[0]);
    tcase_add_test(tcase, one_value_is_flat);
    tcase_add_loop_test(tcase, come_out_as_a_jvm_writes_them, 0,
                        sizeof rewritten / sizeof rewritten[0]);
    tcase_add_loop_test(tcase, what_is_no_json_is_a_fault, 0, sizeof wrong / sizeof wrong[0]);
    tcase_add_test(tcase, without_memory_it_is_a_fault);
    tcase_add_test(tcase, depth_is_json_smarts);
    suite_add_tcase(suite, tcase);
    return suite;
}
