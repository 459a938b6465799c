#include "said.h"

#include <stdio.h>

#include "suites.h"

static struct fault fault;
static struct said said;

static int
decode(const char *text)
{
    fault = (struct fault){0};
    return said_decode((struct slice){text, strlen(text)}, &said, &fault);
}

static void
check_text(struct slice text, const char *expected)
{
    if (expected == NULL) {
        ck_assert_ptr_null(text.ptr);
    } else {
        ck_assert_msg(slice_equal(text, (struct slice){expected, strlen(expected)}), "%.*s",
                      (int)text.len, text.ptr);
    }
}

static const struct {
    const char *text;
    enum said_kind kind;
} kinds[] = {
    {"{\"command\":\"sync\"}", SAID_SYNC},
    {" {\"command\" : \"sync\"} ", SAID_SYNC},
    {"{\"pid\":7}", SAID_PID},
    {"{\"command\":\"ack\",\"id\":\"12\"}", SAID_ACK},
    {"{\"id\":\"12\",\"command\":\"ack\"}", SAID_ACK},
    {"{\"command\":\"ack\",\"id\":\"a\\\"b\"}", SAID_ACK},
    {"{\"command\":\"fail\",\"id\":\"12\"}", SAID_FAIL},
    {"{\"command\":\"log\",\"msg\":\"a\",\"level\":3}", SAID_LOG},
    {"{\"command\":\"error\",\"msg\":\"a\"}", SAID_ERROR},
    {"{\"command\":\"metrics\",\"name\":\"n\",\"params\":[1]}", SAID_METRIC},
    {"{\"command\":\"emit\",\"tuple\":[],\"other\":{\"a\":[1]}}", SAID_EMIT},
};

START_TEST(every_kind_is_told)
{
    ck_assert_msg(decode(kinds[_i].text) == 0, "%s: %s", kinds[_i].text, fault.text);
    ck_assert_int_eq(said.kind, kinds[_i].kind);
}
END_TEST

START_TEST(an_emit_has_its_parts)
{
    ck_assert_int_eq(decode("{\"command\":\"emit\",\"anchors\":[\"1\",\"2\"],\"stream\":\"s\","
                            "\"task\":4294967301,\"need_task_ids\":false,\"id\":{\"a\":1},"
                            "\"tuple\":[1,[2]]}"),
                     0);
    check_text(said.anchors, "[\"1\",\"2\"]");
    check_text(said.stream, "\"s\"");
    check_text(said.id, "{\"a\":1}");
    check_text(said.tuple, "[1,[2]]");
    ck_assert_int_eq(said.task, 5); /* cut to 32 bits, as Storm does */
    ck_assert(!said.need_task_ids);
    ck_assert_int_eq(decode("{\"command\":\"emit\",\"tuple\":[],\"id\":null,\"stream\":null,"
                            "\"task\":null,\"name\":7}"),
                     0);
    check_text(said.id, NULL);
    check_text(said.stream, NULL);
    check_text(said.name, NULL);
    ck_assert(said.need_task_ids); /* not said: true */
    ck_assert_int_eq(said.task, 0);
}
END_TEST

START_TEST(an_id_is_what_stands_in_quotes)
{
    ck_assert_int_eq(decode("{\"command\":\"ack\",\"id\":\"123\"}"), 0);
    check_text(said.id, "\"123\"");
    ck_assert_int_eq(decode("{\"command\":\"fail\",\"id\":\"-9x\"}"), 0);
    check_text(said.id, "\"-9x\"");
}
END_TEST

START_TEST(a_level_is_storms)
{
    char text[] = "{\"command\":\"log\",\"msg\":\"a\",\"level\":0}";
    char *digit = strchr(text, '0');
    char text_with[100];
    for (char c = '0'; c <= '9'; c++) {
        *digit = c;
        ck_assert_int_eq(decode(text), 0);
        ck_assert_int_eq(said.level, c <= '4' ? c - '0' : LEVEL_INFO);
    }
    static const char *const others[] = {"null", "\"1\"", "[1,{}]", "true"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(text_with, sizeof text_with, "{\"level\":%s,\"command\":\"log\"}", others[i]);
        ck_assert_int_eq(decode(text_with), 0);
        ck_assert_int_eq(said.level, LEVEL_INFO);
    }
}
END_TEST

static const struct {
    const char *text;
    const char *complaint;
} wrong[] = {
    {"", NULL},
    {"[]", "no JSON object"},
    {"7", "no JSON object"},
    {"{\"command\":\"sync\"", NULL},
    {"{\"command\":\"sync\"}x", NULL},
    {"{}", "no \"command\""},
    {"{\"command\":7}", "\"command\" that is no string"},
    {"{\"command\":\"dance\"}", "no command \"dance\""},
    {"{\"command\":\"emit\"}", "without a \"tuple\""},
    {"{\"command\":\"emit\",\"tuple\":{}}", "\"tuple\" that is no array"},
    {"{\"command\":\"emit\",\"tuple\":[],\"stream\":1}", "\"stream\" that is no string"},
    {"{\"command\":\"emit\",\"tuple\":[],\"task\":\"1\"}", "\"task\" that is no integer"},
    {"{\"command\":\"emit\",\"tuple\":[],\"need_task_ids\":1}", "need_task_ids"},
    {"{\"command\":\"ack\"}", "the tuple's \"id\""},
    {"{\"command\":\"ack\",\"id\":12}", "the tuple's \"id\""},
    {"{\"command\":\"fail\",\"id\":null}", "the tuple's \"id\""},
    {"{\"command\":\"log\",\"msg\":1}", "\"msg\" that is no string"},
    {"{\"command\":\"emit\",\"tuple\":[],\"task\":1.5}", "\"task\" that is no integer"},
};

START_TEST(what_ends_a_worker_is_a_fault)
{
    ck_assert_int_eq(decode(wrong[_i].text), -1);
    ck_assert_int_ne(fault.code, FAULT_NONE);
    ck_assert_msg(wrong[_i].complaint == NULL || strstr(fault.text, wrong[_i].complaint) != NULL,
                  "%s: %s", wrong[_i].text, fault.text);
}
END_TEST

START_TEST(anchors_are_read_one_by_one)
{
    struct slice texts = SLICE("[ \"1\" ,\"ab\"]");
    struct slice text;
    ck_assert_int_eq(said_next_text(&texts, &text, &fault), 1);
    check_text(text, "1");
    ck_assert_int_eq(said_next_text(&texts, &text, &fault), 1);
    check_text(text, "ab");
    ck_assert_int_eq(said_next_text(&texts, &text, &fault), 0);
    texts = SLICE("\"alone\"");
    ck_assert_int_eq(said_next_text(&texts, &text, &fault), 1);
    check_text(text, "alone");
    ck_assert_int_eq(said_next_text(&texts, &text, &fault), 0);
    texts = SLICE("[7]");
    ck_assert_int_eq(said_next_text(&texts, &text, &fault), -1);
}
END_TEST

Suite *
said_suite(void)
{
    Suite *suite = suite_create("said");
    TCase *tcase = tcase_create("said");
    tcase_add_loop_test(tcase, every_kind_is_told, 0, sizeof kinds / sizeof kinds[0]);
    tcase_add_test(tcase, an_emit_has_its_parts);
    tcase_add_test(tcase, an_id_is_what_stands_in_quotes);
    tcase_add_test(tcase, a_level_is_storms);
    tcase_add_loop_test(tcase, what_ends_a_worker_is_a_fault, 0, sizeof wrong / sizeof wrong[0]);
    tcase_add_test(tcase, anchors_are_read_one_by_one);
    suite_add_tcase(suite, tcase);
    return suite;
}
