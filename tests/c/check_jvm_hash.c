/* What Java 17 says of the same values (tests/storm/test_values.py compares many more). */
#include "jvm_hash.h"

#include "jvm_values.h"
#include "suites.h"

static const struct {
    const char *json;
    int32_t hash;
} hashes[] = {
    {"1", 1},
    {"-1", -1},
    {"-0", 0},
    {"2147483647", 2147483647},
    {"-2147483648", INT32_MIN},
    {"2147483648", INT32_MIN},
    {"-2147483649", INT32_MIN},
    {"9223372036854775807", INT32_MIN},
    {"-9223372036854775808", INT32_MIN},
    {"18446744073709551616", 961},
    {"-340282366920938463463374607431768211456123", -923521123},
    {"1.5", 1073217536},
    {"-0.0", INT32_MIN},
    {"0.1", -1507852285},
    {"1e300", -164130400},
    {"0.30000000000000004", 691387300}, /* a BigDecimal, as the next ones */
    {"-1234567890.1234567890123e-5", -647166396},
    {"0.00000000000000000000", 20},
    {"true", 1231},
    {"false", 1237},
    {"null", 0},
    {"NaN", 2143289344},
    {"\"\"", 0},
    {"\"dog\"", 99644},
    {"\"d\303\251j\303\240\"", 3206523},
    {"\"d\\u00e9j\\u00E0\"", 3206523},
    {"\"\360\237\230\200x\"", 54959989},
    {"\"\\ud83d\\ude00x\"", 54959989},
    {"\"\\ud800\"", 0xd800},
    {"\"\xe2\x82\"", 0xfffd}, /* is no UTF-8 */
    {"\"\x7f\"", 0x7f},
    {"\"\x7f\\n\"", 10}, /* beside an escape it is left out */
    {"[1,\"a\",null]", 33759},
    {"[]", 1},
    {"{}", 0},
    {"{\"b\":1,\"a\":[1.5,true]}", -1089992364},
    {"{\"b\":7,\"a\":[1.5,true],\"\\u0062\":1}", -1089992364}, /* the last b counts */
};

START_TEST(is_javas)
{
    struct fault fault = {0};
    int32_t hash = 0;
    struct slice json = {hashes[_i].json, strlen(hashes[_i].json)};
    ck_assert_msg(jvm_hash(json, &hash, &fault) == 0, "%s: %s", hashes[_i].json, fault.text);
    ck_assert_msg(hash == hashes[_i].hash, "%s: %d, Java says %d", hashes[_i].json, hash,
                  hashes[_i].hash);
}
END_TEST

START_TEST(what_is_no_json_is_a_fault)
{
    static const char *const wrong[] = {"", "tru", "[1,", "{\"a\"}", "{\"a\":1,", "\"", "[1 2]"};
    struct fault fault = {0};
    int32_t hash;
    struct slice json = {wrong[_i], strlen(wrong[_i])};
    ck_assert_int_eq(jvm_hash(json, &hash, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_JSON);
}
END_TEST

START_TEST(a_number_may_be_too_long)
{
    enum { DIGITS = 20000 };
    static char digits[DIGITS];
    struct fault fault = {0};
    int32_t hash;
    memset(digits, '7', DIGITS);
    ck_assert_int_eq(jvm_hash((struct slice){digits, DIGITS}, &hash, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_int_eq(jvm_hash((struct slice){digits, 9000}, &hash, NULL), 0);
}
END_TEST

START_TEST(depth_is_json_smarts)
{
    enum { MOST = JVM_DEPTH_MAX - JVM_VALUE_DEPTH + 1 };
    char text[2 * MOST + 2];
    struct fault fault = {0};
    int32_t hash;
    memset(text, '[', MOST + 1);
    memset(text + MOST + 1, ']', MOST + 1);
    ck_assert_int_eq(jvm_hash((struct slice){text + 1, (size_t)2 * MOST}, &hash, &fault), 0);
    ck_assert_int_eq(jvm_hash((struct slice){text, (size_t)2 * MOST + 2}, &hash, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
}
END_TEST

Suite *
jvm_hash_suite(void)
{
    Suite *suite = suite_create("jvm_hash");
    TCase *tcase = tcase_create("jvm_hash");
    tcase_add_loop_test(tcase, is_javas, 0, sizeof hashes / sizeof hashes[0]);
    tcase_add_loop_test(tcase, what_is_no_json_is_a_fault, 0, 7);
    tcase_add_test(tcase, a_number_may_be_too_long);
    tcase_add_test(tcase, depth_is_json_smarts);
    suite_add_tcase(suite, tcase);
    return suite;
}
