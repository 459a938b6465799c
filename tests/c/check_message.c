#include "message.h"

#include "fixture.h"
#include "framing.h"
#include "oracle.h"
#include "scarce.h"
#include "suites.h"

/* ---- reading ---------------------------------------------------------------------------- */

/* What a message says; a string that it does not say is NULL. */
static const struct {
    struct slice frame;
    enum message_kind kind;
    int64_t task;
    struct slice id; /* of a tuple: as written */
    struct slice component;
    struct slice stream;
    struct slice values;
} messages[] = {
    {SLICE("{\"comp\":\"word\",\"tuple\":[\"dog\",[1,{\"a\":2}]],\"task\":4,\"stream\":\"default\","
           "\"id\":\"-6955786537413359385\"}"),
     MESSAGE_TUPLE, 4, SLICE("-6955786537413359385"), SLICE("word"), SLICE("default"),
     SLICE("[\"dog\",[1,{\"a\":2}]]")},
    {SLICE(" { \"tuple\" : [ ] ,\n\"id\" : \"a\\/b\" , \"new\": {\"tuple\":[1]}, \"stream\" : "
           "\"s\\u0031\","
           "\"comp\":\"\",\"task\":-2147483648 } "),
     MESSAGE_TUPLE, INT32_MIN, SLICE("a\\/b"), SLICE(""), SLICE("s\\u0031"), SLICE("[ ]")},
    {SLICE("{\"id\":\"8675309\",\"stream\":\"__tick\",\"comp\":\"__system\",\"tuple\":[5],\"task\":"
           "-1}"),
     MESSAGE_TUPLE, -1, SLICE("8675309"), SLICE("__system"), SLICE("__tick"), SLICE("[5]")},
    {SLICE("{\"comp\":null,\"tuple\":[],\"task\":-1,\"stream\":\"__heartbeat\",\"id\":\"-34072\"}"),
     MESSAGE_HEARTBEAT,
     -1,
     SLICE("-34072"),
     {NULL, 0},
     SLICE("__heartbeat"),
     SLICE("[]")},
    /* a stream of that name from a task is a component's own */
    {SLICE("{\"comp\":\"c\",\"tuple\":[],\"task\":1,\"stream\":\"__heartbeat\",\"id\":\"2\"}"),
     MESSAGE_TUPLE, 1, SLICE("2"), SLICE("c"), SLICE("__heartbeat"), SLICE("[]")},
    {SLICE("[3,4]"), MESSAGE_TASK_IDS, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, SLICE("[3,4]")},
    {SLICE("[]\n"), MESSAGE_TASK_IDS, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, SLICE("[]")},
    {SLICE("{\"id\":\"\",\"command\":\"next\"}"),
     MESSAGE_NEXT,
     0,
     SLICE(""),
     {NULL, 0},
     {NULL, 0},
     SLICE("\"\"")},
    {SLICE("{\"command\":\"activate\",\"id\":\"\"}"),
     MESSAGE_ACTIVATE,
     0,
     SLICE(""),
     {NULL, 0},
     {NULL, 0},
     SLICE("\"\"")},
    {SLICE("{\"command\":\"deactivate\"}"),
     MESSAGE_DEACTIVATE,
     0,
     {NULL, 0},
     {NULL, 0},
     {NULL, 0},
     {NULL, 0}},
    {SLICE("{\"command\":\"ack\",\"id\":\"m-1\"}"),
     MESSAGE_ACK,
     0,
     SLICE("m-1"),
     {NULL, 0},
     {NULL, 0},
     SLICE("\"m-1\"")},
    {SLICE("{\"id\": [\"orders\", {\"part\":2}] ,\"command\":\"fail\"}"),
     MESSAGE_FAIL,
     0,
     {NULL, 0},
     {NULL, 0},
     {NULL, 0},
     SLICE("[\"orders\", {\"part\":2}]")},
    {SLICE("{\"id\":-17,\"command\":\"ack\"}"),
     MESSAGE_ACK,
     0,
     {NULL, 0},
     {NULL, 0},
     {NULL, 0},
     SLICE("-17")},
};

enum { MESSAGES = sizeof messages / sizeof messages[0] };

/* A string of the message, or that there is none. */
static void
check_string(const char *what, const struct json_value *found, struct slice expected)
{
    if (expected.ptr == NULL) {
        ck_assert_msg(found->type != JSON_TYPE_STRING, "there is %s", what);
    } else {
        ck_assert_int_eq(found->type, JSON_TYPE_STRING);
        ck_assert_msg(slice_equal(found->text, expected), "%s is %.*s", what, (int)found->text.len,
                      found->text.ptr);
    }
}

START_TEST(decode)
{
    struct message message;
    struct slice frame = guarded_put(&memory, messages[_i].frame);
    ck_assert_msg(message_decode(frame, &message, &fault) == 0, "%s", fault.text);
    ck_assert_int_eq(message.kind, messages[_i].kind);
    ck_assert_int_eq(message.task, messages[_i].task);
    check_string("id", &message.id, messages[_i].id);
    check_string("comp", &message.component, messages[_i].component);
    check_string("stream", &message.stream, messages[_i].stream);
    ck_assert(slice_equal(message.values, messages[_i].values));
}
END_TEST

/* Whether it is read by its ends or from front to back makes no difference. */
START_TEST(decode_strictly)
{
    struct message message;
    struct message strict;
    struct slice frame = guarded_put(&memory, messages[_i].frame);
    ck_assert_int_eq(message_decode(frame, &message, &fault), 0);
    ck_assert_int_eq(message_decode_strictly(frame, &strict, &fault), 0);
    ck_assert(strict.unchecked.ptr == NULL);
    ck_assert_int_eq(strict.kind, message.kind);
    ck_assert_int_eq(strict.task, message.task);
    check_string("id", &strict.id, messages[_i].id);
    check_string("comp", &strict.component, messages[_i].component);
    check_string("stream", &strict.stream, messages[_i].stream);
    ck_assert(slice_equal(strict.values, message.values));
}
END_TEST

/* What looks like a tuple at both ends and is something else, or nothing. */
static const struct {
    struct slice frame;
    bool readable;
    struct slice values;
} seeming[] = {
    {SLICE("{\"comp\":\"c\",\"tuple\":[1],\"more\":[2],\"task\":1,\"stream\":\"s\",\"id\":\"5\"}"),
     true, SLICE("[1]")},
    {SLICE("{\"comp\":\"c\",\"tuple\":[1]],\"task\":1,\"stream\":\"s\",\"id\":\"5\"}"), false,
     SLICE("")},
    {SLICE("{\"comp\":\"c\",\"tuple\":[[1},\"task\":1,\"stream\":\"s\",\"id\":\"5\"}"), false,
     SLICE("")},
    {SLICE("{\"comp\":\"c\",\"tuple\":[\"x],\"task\":1,\"stream\":\"s\",\"id\":\"5\"}"), false,
     SLICE("")},
    {SLICE("{\"comp\":\"c\",\"tuple\":[{\"a\":[1],\"task\":1,\"stream\":\"s\",\"id\":\"5\"}"),
     false, SLICE("")},
};

START_TEST(decode_what_only_seems)
{
    struct message message;
    struct slice frame = guarded_put(&memory, seeming[_i].frame);
    ck_assert_int_eq(message_decode(frame, &message, &fault), 0);
    ck_assert(slice_equal(message.unchecked, frame));
    int result = message_decode_strictly(message.unchecked, &message, &fault);
    ck_assert_int_eq(result, seeming[_i].readable ? 0 : -1);
    ck_assert(result < 0 || slice_equal(message.values, seeming[_i].values));
}
END_TEST

/* Cut short at any byte, it is no message, and nothing behind the cut is looked at. */
START_TEST(decode_a_cut_message)
{
    struct slice whole = messages[_i].frame;
    while (strchr(" \n", whole.ptr[whole.len - 1]) != NULL) {
        whole.len--;
    }
    for (size_t len = 0; len < whole.len; len++) {
        struct message message;
        fault = (struct fault){0};
        struct slice cut = guarded_put(&memory, (struct slice){whole.ptr, len});
        ck_assert_int_eq(message_decode(cut, &message, &fault), -1);
        ck_assert_int_eq(fault.code, FAULT_JSON);
    }
}
END_TEST

static const struct {
    struct slice frame;
    enum fault_code code;
    const char *text;
} mistakes[] = {
    {SLICE(""), FAULT_JSON, "a value was expected, but the text ends at byte 0"},
    {SLICE("hello"), FAULT_JSON, "a value was expected, found 'h' at byte 0"},
    {SLICE("7"), FAULT_MESSAGE, "a message that is neither object nor array"},
    {SLICE("null"), FAULT_MESSAGE, "a message that is neither object nor array"},
    {SLICE("{}"), FAULT_MESSAGE, "a message with neither \"command\" nor \"tuple\""},
    {SLICE("{\"command\":null}"), FAULT_MESSAGE,
     "a message with neither \"command\" nor \"tuple\""},
    {SLICE("{\"command\":5}"), FAULT_MESSAGE, "\"command\" of a message is no string"},
    {SLICE("{\"command\":\"stop\"}"), FAULT_MESSAGE, "no command of Storm's: \"stop\""},
    {SLICE("{\"command\":\"nextnextnextnextnextnextnextnextnextnextnext\"}"), FAULT_MESSAGE,
     "no command of Storm's: \"nextnextnextnextnextnextnextnextnextnext\""},
    {SLICE("{\"tuple\":{},\"id\":\"1\",\"comp\":\"c\",\"stream\":\"s\",\"task\":1}"), FAULT_MESSAGE,
     "\"tuple\" of a tuple is no array"},
    {SLICE("{\"tuple\":\"[\",\"id\":\"1\",\"comp\":\"c\",\"stream\":\"s\",\"task\":1}"),
     FAULT_MESSAGE, "\"tuple\" of a tuple is no array"},
    {SLICE("{\"tuple\":[],\"comp\":\"c\",\"stream\":\"s\",\"task\":1}"), FAULT_MESSAGE,
     "a tuple without \"id\", \"comp\" or \"stream\" as strings"},
    {SLICE("{\"tuple\":[],\"id\":1,\"comp\":\"c\",\"stream\":\"s\",\"task\":1}"), FAULT_MESSAGE,
     "a tuple without \"id\", \"comp\" or \"stream\" as strings"},
    {SLICE("{\"tuple\":[],\"id\":\"1\",\"comp\":null,\"stream\":\"s\",\"task\":1}"), FAULT_MESSAGE,
     "a tuple without \"id\", \"comp\" or \"stream\" as strings"},
    {SLICE("{\"tuple\":[],\"id\":\"1\",\"comp\":\"c\",\"task\":1}"), FAULT_MESSAGE,
     "a tuple without \"id\", \"comp\" or \"stream\" as strings"},
    {SLICE("{\"stream\":[]}"), FAULT_MESSAGE, "\"stream\" of a message is no string"},
    {SLICE("{\"comp\":1.5}"), FAULT_MESSAGE, "\"comp\" of a message is no string"},
    {SLICE("{\"task\":\"1\"}"), FAULT_MESSAGE, "\"task\" of a message is no integer"},
    {SLICE("{\"task\":1.0}"), FAULT_MESSAGE, "\"task\" of a message is no integer"},
    {SLICE("{\"task\":9223372036854775808}"), FAULT_MESSAGE, "\"task\" of a message is no integer"},
    {SLICE("{\"comp\":\"c\",\"tuple\":[],\"task\":69557865355786537413359385,"
           "\"stream\":\"s\",\"id\":\"1\"}"),
     FAULT_MESSAGE, "\"task\" of a message is no integer"},
    {SLICE("[3,4] []"), FAULT_JSON, "the end of the text was expected, found '[' at byte 6"},
    {SLICE("{\"command\":\"next\"}{"), FAULT_JSON,
     "the end of the text was expected, found '{' at byte 18"},
    {SLICE("{\"command\":\"next\"\"id\":\"\"}"), FAULT_JSON,
     "',' or '}' was expected, found '\"' at byte 17"},
    {SLICE("{\"command\":\"next\",}"), FAULT_JSON,
     "a key in quotes was expected, found '}' at byte 18"},
    {SLICE("{,\"command\":\"next\"}"), FAULT_JSON,
     "a key in quotes was expected, found ',' at byte 1"},
    {SLICE("{\"x\":[}],\"command\":\"next\"}"), FAULT_JSON,
     "the other closing bracket was expected, found '}' at byte 6"},
};

enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(decode_a_mistake)
{
    struct message message;
    struct slice frame = guarded_put(&memory, mistakes[_i].frame);
    ck_assert_int_eq(message_decode(frame, &message, &fault), -1);
    ck_assert_str_eq(fault.text, mistakes[_i].text);
    ck_assert_int_eq(fault.code, mistakes[_i].code);
}
END_TEST

/* ---- writing ---------------------------------------------------------------------------- */

static int
write_pid(struct buffer *to)
{
    return message_write_pid(to, 4711, &fault);
}

static int
write_ack(struct buffer *to)
{
    return message_write_ack(to, tuple_id_parse(SLICE("-6955786537413359385")), &fault);
}

static int
write_fail(struct buffer *to)
{
    return message_write_fail(to, tuple_id_parse(SLICE("a\"b")), &fault);
}

static int
write_sync(struct buffer *to)
{
    return message_write_sync(to, &fault);
}

static int
write_error(struct buffer *to)
{
    return message_write_error(to, SLICE("ValueError: caf\xe9\n"), &fault);
}

static int
write_log(struct buffer *to)
{
    return message_write_log(to, LEVEL_WARN, SLICE("50 % \xe2\x82\xac"), &fault);
}

static int
write_trace(struct buffer *to)
{
    return message_write_log(to, LEVEL_TRACE, SLICE(""), &fault);
}

static int
write_metric(struct buffer *to)
{
    return message_write_metric(to, SLICE("lag"), SLICE("{\"p\":[1,2]}"), &fault);
}

static int
write_emit(struct buffer *to, const struct emit *emit, struct slice values)
{
    return message_open_emit(to, emit, &fault) < 0 || buffer_append(to, values, &fault) < 0 ||
                   message_close_emit(to, &fault) < 0
               ? -1
               : 0;
}

static int
write_bolt_emit(struct buffer *to)
{
    struct emit emit = {.anchors = SLICE("\"1\",\"-2\""), .task = -1};
    return write_emit(to, &emit, SLICE("\"dog\",3"));
}

static int
write_spout_emit(struct buffer *to)
{
    struct emit emit = {.id = SLICE("[\"m\",1]"), .task = -1, .need_task_ids = true};
    return write_emit(to, &emit, SLICE("1"));
}

static int
write_direct_emit(struct buffer *to)
{
    struct emit emit = {.anchors = SLICE(""), .stream = SLICE("s\"2"), .task = 0};
    return write_emit(to, &emit, SLICE(""));
}

static const struct {
    int (*write)(struct buffer *to);
    struct slice frame;
} writers[] = {
    {write_pid, SLICE("{\"pid\":4711}\nend\n")},
    {write_ack, SLICE("{\"command\":\"ack\",\"id\":\"-6955786537413359385\"}\nend\n")},
    {write_fail, SLICE("{\"command\":\"fail\",\"id\":\"a\\\"b\"}\nend\n")},
    {write_sync, SLICE("{\"command\":\"sync\"}\nend\n")},
    {write_error,
     SLICE("{\"command\":\"error\",\"msg\":\"ValueError: caf\xef\xbf\xbd\\n\"}\nend\n")},
    {write_log,
     SLICE("{\"command\":\"log\",\"level\":4294967299,\"msg\":\"50 % \xe2\x82\xac\"}\nend\n")},
    {write_trace, SLICE("{\"command\":\"log\",\"level\":4294967296,\"msg\":\"\"}\nend\n")},
    {write_metric,
     SLICE("{\"command\":\"metrics\",\"name\":\"lag\",\"params\":{\"p\":[1,2]}}\nend\n")},
    {write_bolt_emit,
     SLICE("{\"command\":\"emit\",\"need_task_ids\":false,\"anchors\":[\"1\",\"-2\"],"
           "\"tuple\":[\"dog\",3]}\nend\n")},
    {write_spout_emit, SLICE("{\"command\":\"emit\",\"need_task_ids\":true,\"id\":[\"m\",1],"
                             "\"tuple\":[1]}\nend\n")},
    {write_direct_emit, SLICE("{\"command\":\"emit\",\"need_task_ids\":false,\"anchors\":[],"
                              "\"stream\":\"s\\\"2\",\"task\":4294967296,\"tuple\":[]}\nend\n")},
};

enum { WRITERS = sizeof writers / sizeof writers[0] };

START_TEST(write_one)
{
    ck_assert_int_eq(writers[_i].write(&out), 0);
    ck_assert_msg(slice_equal((struct slice){out.data, out.len}, writers[_i].frame), "%.*s",
                  (int)out.len, out.data);
    json_t *parsed = oracle_load((struct slice){out.data, out.len - strlen("\nend\n")});
    ck_assert(json_is_object(parsed));
    json_decref(parsed);
}
END_TEST

/* Too little room by any number of bytes is a fault, and no byte is written past the room. A writer may
   ask for some bytes more than it fills. */
START_TEST(write_into_too_little)
{
    for (size_t room = 0; room < writers[_i].frame.len; room++) {
        struct buffer fixed = {.data = guarded_tail(&memory, room), .cap = room, .fixed = true};
        fault = (struct fault){0};
        ck_assert_int_eq(writers[_i].write(&fixed), -1);
        ck_assert_int_eq(fault.code, FAULT_LIMIT);
        ck_assert_uint_le(fixed.len, room);
    }
    size_t room = writers[_i].frame.len + 128;
    struct buffer fixed = {.data = guarded_tail(&memory, room), .cap = room, .fixed = true};
    fault = (struct fault){0};
    ck_assert_msg(writers[_i].write(&fixed) == 0, "%s", fault.text);
}
END_TEST

START_TEST(write_without_memory)
{
    bool failed = true;
    unsigned nth;
    for (nth = 1; failed; nth++) {
        fault = (struct fault){0};
        buffer_deinit(&out);
        scarce_begin(nth);
        int result = writers[_i].write(&out);
        failed = scarce_end();
        ck_assert_int_eq(result, failed ? -1 : 0);
        ck_assert_int_eq(fault.code, failed ? FAULT_SYSTEM : FAULT_NONE);
    }
    ck_assert_uint_ge(nth, 3);
}
END_TEST

/* Whatever a component logs, it is one frame, and Storm reads the same text from it. */
START_TEST(any_text_is_one_frame)
{
    struct chance chance = {(uint64_t)_i};
    for (int i = 0; i < 300; i++) {
        struct buffer text = {0};
        struct framing framing = {.limit = 1000000};
        for (uint32_t left = chance_below(&chance, 30); left > 0; left--) {
            char utf8[4];
            size_t len = oracle_random_char(&chance, utf8);
            struct slice bytes = {utf8, len};
            bytes = chance_below(&chance, 8) == 0 ? SLICE("\nend\r\n") : bytes;
            ck_assert_int_eq(buffer_append(&text, bytes, NULL), 0);
        }
        struct slice said = {text.len > 0 ? text.data : "", text.len};
        out.len = 0;
        ck_assert_int_eq(message_write_log(&out, LEVEL_INFO, said, NULL), 0);
        framing_feed(&framing, (struct slice){out.data, out.len});
        struct slice frame = {out.data, out.len - strlen("\nend\n")};
        struct buffer one = {0};
        framing_note_frame(&one, frame);
        ck_assert(slice_equal((struct slice){framing.found.data, framing.found.len},
                              (struct slice){one.data, one.len}));
        json_t *parsed = oracle_load(frame);
        json_t *expected = oracle_string(said);
        ck_assert(json_equal(json_object_get(parsed, "msg"), expected));
        json_decref(parsed);
        json_decref(expected);
        framing_deinit(&framing);
        buffer_deinit(&one);
        buffer_deinit(&text);
    }
}
END_TEST

Suite *
message_suite(void)
{
    Suite *suite = suite_create("message");
    TCase *tcase = tcase_create("message");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_add_loop_test(tcase, decode, 0, MESSAGES);
    tcase_add_loop_test(tcase, decode_a_cut_message, 0, MESSAGES);
    tcase_add_loop_test(tcase, decode_a_mistake, 0, MISTAKES);
    tcase_add_loop_test(tcase, decode_strictly, 0, MESSAGES);
    tcase_add_loop_test(tcase, decode_what_only_seems, 0, sizeof seeming / sizeof seeming[0]);
    tcase_add_loop_test(tcase, write_one, 0, WRITERS);
    tcase_add_loop_test(tcase, write_into_too_little, 0, WRITERS);
    tcase_add_loop_test(tcase, write_without_memory, 0, WRITERS);
    tcase_add_loop_test(tcase, any_text_is_one_frame, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
