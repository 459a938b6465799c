#include "handshake.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "suites.h"

#define CONF                                                                 \
    "{\"topology.name\":\"wordcount\",\"topology.message.timeout.secs\":30," \
    "\"topology.debug\":false,\"big\":9223372036854775807}"
#define CONTEXT                                                                                    \
    "{\"task->component\":{\"1\":\"__acker\",\"2\":\"count\",\"7\":\"word\"},\"taskid\":7,"        \
    "\"componentid\":\"word\",\"streams\":[\"default\",\"side\",\"direct\",\"idle\"],"             \
    "\"stream->outputfields\":{\"default\":[\"word\",\"count\"],\"side\":[],\"direct\":[\"x\"],"   \
    "\"idle\":[\"x\"]},"                                                                           \
    "\"stream->target->grouping\":{\"default\":{\"count\":{\"type\":\"FIELDS\",\"fields\":"        \
    "[\"word\"]}},\"side\":{\"a\":{\"type\":\"ALL\"}},\"direct\":{\"count\":{\"type\":\"DIRECT\"}" \
    ","                                                                                            \
    "\"a\":{\"type\":\"SHUFFLE\"}}}}"

static const struct slice WHOLE =
    SLICE("{\"pidDir\":\"\\/no\\/such\\/folder\",\"conf\":" CONF ", \"context\" : " CONTEXT " }");

static struct handshake handshake;

static void
setup(void)
{
    handshake = (struct handshake){0};
    fixture_setup();
}

static void
teardown(void)
{
    handshake_deinit(&handshake);
    fixture_teardown();
}

static void
parse(struct slice text)
{
    int result = handshake_parse(&handshake, guarded_put(&memory, text), &fault);
    ck_assert_msg(result == 0, "%s", fault.text);
    ck_assert_int_eq(fault.code, FAULT_NONE);
}

/* ---- parsing ---------------------------------------------------------------------------- */

START_TEST(what_it_says)
{
    parse(WHOLE);
    ck_assert_str_eq(handshake.pid_dir, "/no/such/folder");
    ck_assert_str_eq(handshake.component, "word");
    ck_assert_int_eq(handshake.task, 7);
    ck_assert(slice_equal(handshake.conf, SLICE(CONF)));
    ck_assert(slice_equal(handshake.context, SLICE(CONTEXT)));
    ck_assert(handshake.streams_known);
    ck_assert_uint_eq(handshake.stream_count, 4);
}
END_TEST

START_TEST(its_streams)
{
    static const struct {
        struct slice name;
        size_t fields;
        bool direct;
        bool subscribed;
    } streams[] = {
        {SLICE("default"), 2, false, true},
        {SLICE("side"), 0, false, true},
        {SLICE("direct"), 1, true, true},
        {SLICE("idle"), 1, false, false},
    };
    parse(WHOLE);
    const struct stream *stream = handshake_stream(&handshake, streams[_i].name);
    ck_assert_ptr_nonnull(stream);
    ck_assert_str_eq(stream->name, streams[_i].name.ptr);
    ck_assert_uint_eq(stream->field_count, streams[_i].fields);
    ck_assert_int_eq(stream->direct, streams[_i].direct);
    ck_assert_int_eq(stream->subscribed, streams[_i].subscribed);
    ck_assert_ptr_null(handshake_stream(&handshake, SLICE("defaul")));
    ck_assert_ptr_null(handshake_stream(&handshake, SLICE("default ")));
    ck_assert_ptr_null(handshake_stream(&handshake, SLICE("")));
}
END_TEST

/* Storm's own, but for a context that tells nothing. */
START_TEST(a_bare_one)
{
    parse(SLICE("{\"context\":{},\"conf\":{},\"pidDir\":null,\"new\":[{\"conf\":1}]}"));
    ck_assert_ptr_null(handshake.pid_dir);
    ck_assert_str_eq(handshake.component, "");
    ck_assert_int_eq(handshake.task, -1);
    ck_assert(slice_equal(handshake.conf, SLICE("{}")));
    ck_assert(!handshake.streams_known);
    ck_assert_int_eq(handshake_check_emit(&handshake, SLICE("any"), 3, 17, &fault), 0);
}
END_TEST

START_TEST(component_by_its_task)
{
    parse(SLICE("{\"pidDir\":\"\",\"conf\":{},\"context\":{\"taskid\":3,"
                "\"task->component\":{\"3\":\"count\",\"4\":\"word\"}}}"));
    ck_assert_str_eq(handshake.component, "count");
    ck_assert_int_eq(handshake.task, 3);
}
END_TEST

#define NOT_ONE "the first message is no handshake of Storm's: "
#define MUST_BE " (it must be {\"pidDir\": ..., \"conf\": {...}, \"context\": {...}})"

static const struct {
    struct slice text;
    const char *message;
} mistakes[] = {
    {SLICE("[]"), NOT_ONE "it is no object" MUST_BE},
    {SLICE("{}"), NOT_ONE "it lacks \"pidDir\"" MUST_BE},
    {SLICE("{\"pidDir\":5}"), NOT_ONE "\"pidDir\" is no string" MUST_BE},
    {SLICE("{\"pidDir\":\"a\"}"), NOT_ONE "it lacks the object \"conf\"" MUST_BE},
    {SLICE("{\"pidDir\":\"a\",\"conf\":[]}"), NOT_ONE "it lacks the object \"conf\"" MUST_BE},
    {SLICE("{\"pidDir\":\"a\",\"conf\":{}}"), NOT_ONE "it lacks the object \"context\"" MUST_BE},
    {SLICE("{\"pidDir\":\"a\",\"conf\":{},\"context\":null}"),
     NOT_ONE "it lacks the object \"context\"" MUST_BE},
};

enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(mistake)
{
    struct slice text = guarded_put(&memory, mistakes[_i].text);
    ck_assert_int_eq(handshake_parse(&handshake, text, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_HANDSHAKE);
    ck_assert_str_eq(fault.text, mistakes[_i].message);
}
END_TEST

START_TEST(cut_at_every_byte)
{
    for (size_t len = 0; len < WHOLE.len; len++) {
        struct slice cut = guarded_put(&memory, (struct slice){WHOLE.ptr, len});
        fault = (struct fault){0};
        ck_assert_int_eq(handshake_parse(&handshake, cut, &fault), -1);
        ck_assert_int_eq(fault.code, FAULT_HANDSHAKE);
        ck_assert_msg(strstr(fault.text, "is no JSON") != NULL, "%s", fault.text);
        handshake_deinit(&handshake);
    }
}
END_TEST

/* ---- settings --------------------------------------------------------------------------- */

static const struct {
    const char *conf;
    int64_t timeout_ms, hang_ms, restart_max, within_ms;
    const char *fault; /* how it begins; NULL: none */
} settings[] = {
    {"", 30000, 24000, 5, 60000, NULL},
    {"\"supervisor.worker.timeout.secs\":10", 10000, 8000, 5, 60000, NULL},
    {"\"supervisor.worker.timeout.secs\":10,\"topology.subprocess.timeout.secs\":60", 60000, 48000,
     5, 60000, NULL},
    {"\"supervisor.worker.timeout.secs\":10,\"topology.subprocess.timeout.secs\":null", 10000, 8000,
     5, 60000, NULL},
    {"\"stormcell.hang.timeout.secs\":0", 30000, 0, 5, 60000, NULL},
    {"\"stormcell.hang.timeout.secs\":1.5", 30000, 1500, 5, 60000, NULL},
    {"\"stormcell.hang.timeout.secs\":null", 30000, 24000, 5, 60000, NULL},
    {"\"stormcell.hang.timeout.secs\":-1", 30000, 24000, 5, 60000,
     "stormcell.hang.timeout.secs must"},
    {"\"stormcell.hang.timeout.secs\":\"1\"", 30000, 24000, 5, 60000,
     "stormcell.hang.timeout.secs must"},
    {"\"stormcell.restart\":{\"max\":0}", 30000, 24000, 0, 60000, NULL},
    {"\"stormcell.restart\":{\"max\":7,\"within.secs\":0.5}", 30000, 24000, 7, 500, NULL},
    {"\"stormcell.restart\":{\"max\":-7}", 30000, 24000, 5, 60000, "stormcell.restart must be"},
    {"\"stormcell.restart\":{\"max\":1.5}", 30000, 24000, 5, 60000, "stormcell.restart must be"},
    {"\"stormcell.restart\":{\"max\":3,\"within.secs\":\"1\"}", 30000, 24000, 3, 60000,
     "stormcell.restart must be"},
    {"\"stormcell.restart\":3", 30000, 24000, 5, 60000, "stormcell.restart must be"},
    {"\"stormcell.big.integers\":true", 30000, 24000, 5, 60000, NULL},
    {"\"stormcell.big.integers\":null", 30000, 24000, 5, 60000, NULL},
    {"\"stormcell.big.integers\":1", 30000, 24000, 5, 60000, "stormcell.big.integers must be"},
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

START_TEST(what_the_guardian_is_told)
{
    char text[400];
    int len = snprintf(text, sizeof text,
                       "{\"pidDir\":null,\"conf\":{%s},\"context\":"
                       "{\"componentid\":\"count\",\"taskid\":7}}",
                       settings[_i].conf);
    struct arena *arena = arena_new(NULL);
    parse((struct slice){text, (size_t)len});
    int result = handshake_introduce(&handshake, arena, &fault);
    ck_assert_int_eq(result, settings[_i].fault != NULL ? -1 : 0);
    if (settings[_i].fault != NULL) {
        ck_assert_mem_eq(fault.text, settings[_i].fault, strlen(settings[_i].fault));
    }
    ck_assert(arena->component.known);
    ck_assert_str_eq(arena->component.name, "count");
    ck_assert_int_eq(arena->component.task, 7);
    ck_assert_int_eq(arena->component.timeout_ms, settings[_i].timeout_ms);
    ck_assert_int_eq(arena->component.hang_ms, settings[_i].hang_ms);
    ck_assert_int_eq(arena->component.restart_max, settings[_i].restart_max);
    ck_assert_int_eq(arena->component.restart_within_ms, settings[_i].within_ms);
    arena_free(arena);
}
END_TEST

/* ---- emits ------------------------------------------------------------------------------ */

static const struct {
    struct slice stream;
    int64_t task;
    size_t values;
    const char *message; /* NULL where Storm takes the emit */
} emits[] = {
    {SLICE("default"), -1, 2, NULL},
    {SLICE("side"), -1, 0, NULL},
    {SLICE("idle"), -1, 1, NULL},
    {SLICE("direct"), 2, 1, NULL},
    {SLICE("default"), -1, 1,
     "stream 'default' of component 'word' has 2 fields (word, count), the tuple has 1 value"},
    {SLICE("side"), -1, 2,
     "stream 'side' of component 'word' has 0 fields (none), the tuple has 2 values"},
    {SLICE("direct"), 2, 0,
     "stream 'direct' of component 'word' has 1 field (x), the tuple has 0 values"},
    {SLICE("errors"), -1, 1,
     "component 'word' declares no stream 'errors' (it declares: default, side, direct, idle); "
     "add it to the component's outputs in the topology"},
    {SLICE("direct"), -1, 1,
     "stream 'direct' of component 'word' is subscribed to with a direct grouping: emit with "
     "direct_task="},
    {SLICE("default"), 2, 2,
     "stream 'default' of component 'word' is not direct: its subscribers use another grouping; "
     "emit without direct_task"},
    {SLICE("idle"), 2, 1,
     "stream 'idle' of component 'word' is not direct: nobody subscribes to it with a direct "
     "grouping"},
    {SLICE("direct"), 3, 1, "the topology has no task 3 to emit to"},
};

enum { EMITS = sizeof emits / sizeof emits[0] };

START_TEST(emit)
{
    parse(WHOLE);
    int result = handshake_check_emit(&handshake, emits[_i].stream, emits[_i].task,
                                      emits[_i].values, &fault);
    if (emits[_i].message == NULL) {
        ck_assert_msg(result == 0, "%s", fault.text);
        return;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(fault.code, FAULT_STREAM);
    ck_assert_str_eq(fault.text, emits[_i].message);
}
END_TEST

/* Many streams with long names and a long name asked for: cut, with dots. */
START_TEST(long_names_are_cut)
{
    struct buffer text = {0};
    char stream[200];
    ck_assert_int_eq(buffer_append(&text,
                                   SLICE("{\"pidDir\":null,\"conf\":{},\"context\":{"
                                         "\"stream->outputfields\":{"),
                                   NULL),
                     0);
    for (int i = 0; i < 100; i++) {
        int len = snprintf(stream, sizeof stream, "%s\"stream_number_%d_of_many\":[]",
                           i > 0 ? "," : "", i);
        ck_assert_int_eq(buffer_append(&text, (struct slice){stream, (size_t)len}, NULL), 0);
    }
    ck_assert_int_eq(buffer_append(&text, SLICE("}}}"), NULL), 0);
    parse((struct slice){text.data, text.len});
    memset(stream, 'x', sizeof stream);
    struct slice name = {stream, sizeof stream};
    ck_assert_int_eq(handshake_check_emit(&handshake, name, -1, 0, &fault), -1);
    ck_assert_ptr_nonnull(strstr(fault.text, "'xxxxxxxxxx"));
    ck_assert_ptr_nonnull(strstr(fault.text, "stream_number_0_of_many, "));
    ck_assert_ptr_nonnull(strstr(fault.text, ", ...)"));
    ck_assert_ptr_nonnull(strstr(fault.text, "in the topology"));
    buffer_deinit(&text);
}
END_TEST

/* ---- conf and pid file ------------------------------------------------------------------ */

START_TEST(numbers_of_the_conf)
{
    parse(WHOLE);
    ck_assert_int_eq(handshake_conf_int(&handshake, "topology.message.timeout.secs", 5), 30);
    ck_assert_int_eq(handshake_conf_int(&handshake, "big", 5), INT64_MAX);
    ck_assert_int_eq(handshake_conf_int(&handshake, "topology.name", 5), 5);
    ck_assert_int_eq(handshake_conf_int(&handshake, "topology.debug", 5), 5);
    ck_assert_int_eq(handshake_conf_int(&handshake, "no.such.key", -1), -1);
}
END_TEST

static char folder[] = "/tmp/stormcell-check-XXXXXX";

static void
make_folder(void)
{
    memset(folder + sizeof folder - 7, 'X', 6); /* another one for each test */
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Parse a handshake whose pidDir is `path` below the test's own folder. */
static void
parse_with_pid_dir(const char *path)
{
    char text[300];
    int len = snprintf(text, sizeof text, "{\"pidDir\":\"%s%s\",\"conf\":{},\"context\":{}}",
                       folder, path);
    parse((struct slice){text, (size_t)len});
}

START_TEST(pid_file)
{
    struct stat status;
    char path[sizeof folder + 20];
    make_folder();
    parse_with_pid_dir("");
    ck_assert_int_eq(handshake_touch_pid_file(&handshake, 4711, &fault), 0);
    ck_assert_int_eq(handshake_touch_pid_file(&handshake, 4711, &fault), 0); /* there already */
    snprintf(path, sizeof path, "%s/4711", folder);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISREG(status.st_mode));
    ck_assert_int_eq(status.st_size, 0);
    ck_assert_int_eq(unlink(path), 0);

    handshake_deinit(&handshake);
    parse_with_pid_dir("/gone"); /* the worker is being removed */
    ck_assert_int_eq(handshake_touch_pid_file(&handshake, 4711, &fault), 0);
    ck_assert_int_eq(fault.code, FAULT_NONE);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* A symbolic link in the pid file's place is not followed. */
START_TEST(pid_file_that_is_a_link)
{
    char path[sizeof folder + 20];
    char target[sizeof folder + 20];
    make_folder();
    snprintf(path, sizeof path, "%s/4711", folder);
    snprintf(target, sizeof target, "%s/target", folder);
    ck_assert_int_eq(symlink(target, path), 0);
    parse_with_pid_dir("");
    ck_assert_int_eq(handshake_touch_pid_file(&handshake, 4711, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_SYSTEM);
    ck_assert_ptr_eq(strstr(fault.text, "cannot create the pid file "), fault.text);
    ck_assert_int_ne(access(target, F_OK), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(pid_file_without_a_folder)
{
    parse(SLICE("{\"pidDir\":null,\"conf\":{},\"context\":{}}"));
    ck_assert_int_eq(handshake_touch_pid_file(&handshake, 4711, &fault), 0);
}
END_TEST

/* A path of PATH_MAX - 1 bytes is the longest there is. */
START_TEST(pid_file_at_the_longest_path)
{
    char dir[PATH_MAX];
    size_t longest = PATH_MAX - 1 - strlen("/4711");
    memset(dir, 'x', sizeof dir);
    handshake.pid_dir = dir;
    dir[longest] = '\0';
    ck_assert_int_eq(handshake_touch_pid_file(&handshake, 4711, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_SYSTEM); /* the system's limit on a name, not ours */
    fault = (struct fault){0};
    dir[longest] = 'x';
    dir[longest + 1] = '\0';
    ck_assert_int_eq(handshake_touch_pid_file(&handshake, 4711, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_HANDSHAKE);
    ck_assert_str_eq(fault.text, "\"pidDir\" is longer than a path may be");
}
END_TEST

Suite *
handshake_suite(void)
{
    Suite *suite = suite_create("handshake");
    TCase *tcase = tcase_create("handshake");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_it_says);
    tcase_add_loop_test(tcase, its_streams, 0, 4);
    tcase_add_test(tcase, a_bare_one);
    tcase_add_test(tcase, component_by_its_task);
    tcase_add_loop_test(tcase, mistake, 0, MISTAKES);
    tcase_add_test(tcase, cut_at_every_byte);
    tcase_add_loop_test(tcase, what_the_guardian_is_told, 0, SETTINGS);
    tcase_add_loop_test(tcase, emit, 0, EMITS);
    tcase_add_test(tcase, long_names_are_cut);
    tcase_add_test(tcase, numbers_of_the_conf);
    tcase_add_test(tcase, pid_file);
    tcase_add_test(tcase, pid_file_that_is_a_link);
    tcase_add_test(tcase, pid_file_without_a_folder);
    tcase_add_test(tcase, pid_file_at_the_longest_path);
    suite_add_tcase(suite, tcase);
    return suite;
}
