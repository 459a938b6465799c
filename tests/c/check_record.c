/* What a recording looks like, where it lies, and what stands in its way. */
#include "record.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "redact.h"
#include "suites.h"

static char folder[] = "/tmp/stormcell-record-XXXXXX";
static struct handshake handshake;
static struct record *record;
static char text[8192];

static void
setup(void)
{
    fixture_setup();
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    handshake = (struct handshake){0};
    record = NULL;
}

static void
teardown(void)
{
    static const char *const names[] = {"count-4.rec",  "count-4.rec.1",      "target",
                                        "_a_b.c-4.rec", "new/er/count-4.rec", "new/er",
                                        "new"};
    char path[sizeof folder + 40];
    record_free(record);
    handshake_deinit(&handshake);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    fixture_teardown();
}

static const char *
path_of(const char *name)
{
    static char path[sizeof folder + 40];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A handshake of component `name`, with `conf` behind what is borrowed for the directory. */
static void
say_hello(const char *name, const char *directory, const char *conf)
{
    char hello[8192];
    int len = snprintf(hello, sizeof hello,
                       "{\"conf\":{\"stormcell.record\":%s%s},"
                       "\"context\":{\"taskid\":4,\"componentid\":\"%s\"},\"pidDir\":null}",
                       directory, conf, name);
    handshake_deinit(&handshake);
    handshake = (struct handshake){0};
    struct slice message = guarded_put(&memory, (struct slice){hello, (size_t)len});
    ck_assert_int_eq(handshake_parse(&handshake, message, &fault), 0);
}

static void
say_hello_here(const char *conf)
{
    char directory[sizeof folder + 4];
    snprintf(directory, sizeof directory, "\"%s\"", folder);
    say_hello("count", directory, conf);
}

static void
start(const char *conf)
{
    say_hello_here(conf);
    record = record_new(&handshake, &fault);
    ck_assert_msg(record != NULL, "%s", fault.text);
}

static void
put(enum record_kind kind, const char *message)
{
    ck_assert_msg(record_write(record, kind, text_of(message), &fault) == 0, "%s", fault.text);
}

/* The file, in `text`: of each head only kind and length stay, and a start is only its goes_on. */
static const char *
read_back(const char *name)
{
    char line[8192];
    FILE *file = fopen(path_of(name), "r");
    size_t len = 0;
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char kind[6];
        unsigned long size;
        const char *goes_on = strstr(line, "\"goes_on\":");
        if (sscanf(line, "%5[a-z] %*u.%*6u %lu\n", kind, &size) == 2) {
            snprintf(line, sizeof line, strcmp(kind, "start") == 0 ? "%s\n" : "%s %lu\n", kind,
                     size);
        } else if (goes_on != NULL) {
            memmove(line, goes_on, strlen(goes_on) + 1);
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "%s", line);
    }
    fclose(file);
    return text;
}

static off_t
size_of(const char *name)
{
    struct stat status;
    return stat(path_of(name), &status) == 0 ? status.st_size : -1;
}

/* How a recording of "count" begins, where nothing but the directory is in its conf. */
static const char *
beginning(bool goes_on)
{
    static char expected[400];
    char hello[200];
    int len = snprintf(hello, sizeof hello,
                       "{\"conf\":{\"stormcell.record\":\"%s\"},\"context\":{\"taskid\":4,"
                       "\"componentid\":\"count\"},\"pidDir\":null}",
                       folder);
    snprintf(expected, sizeof expected,
             "stormcell recording 1\nstart\n\"goes_on\":%s}\nin %d\n%s\n",
             goes_on ? "true" : "false", len, hello);
    return expected;
}

/* ---- what is in it ---------------------------------------------------------------------- */

START_TEST(not_asked_for)
{
    say_hello("count", "null", "");
    ck_assert(!record_is_wanted(&handshake));
    say_hello_here("");
    ck_assert(record_is_wanted(&handshake));
}
END_TEST

START_TEST(what_it_looks_like)
{
    char expected[1000];
    start("");
    put(RECORD_IN, "{\"tuple\":[1]}");
    put(RECORD_OUT, "{\"command\":\"ack\"}");
    put(RECORD_IN, "two\nlines");
    put(RECORD_IN, "");
    snprintf(expected, sizeof expected,
             "%sin 13\n{\"tuple\":[1]}\nout 17\n{\"command\":\"ack\"}\nin 9\ntwo\nlines\nin 0\n\n",
             beginning(false));
    ck_assert_str_eq(read_back("count-4.rec"), expected);
}
END_TEST

START_TEST(nobody_else_may_read_it)
{
    struct stat status;
    char directory[sizeof folder + 20];
    snprintf(directory, sizeof directory, "\"%s/new/er/\"", folder);
    say_hello("count", directory, "");
    record = record_new(&handshake, &fault);
    ck_assert_msg(record != NULL, "%s", fault.text);
    ck_assert_int_eq(stat(path_of("new/er/count-4.rec"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(path_of("new/er"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0700);
}
END_TEST

START_TEST(names_are_made_safe)
{
    char directory[sizeof folder + 4];
    snprintf(directory, sizeof directory, "\"%s\"", folder);
    say_hello(".a/b.c", directory, "");
    record = record_new(&handshake, &fault);
    ck_assert_int_gt(size_of("_a_b.c-4.rec"), 0);
}
END_TEST

/* The next interpreter, or the next worker. */
START_TEST(it_is_added_to)
{
    char expected[1000];
    start("");
    put(RECORD_IN, "1");
    record_free(record);
    start("");
    put(RECORD_IN, "2");
    int len = snprintf(expected, sizeof expected, "%sin 1\n1\n\n", beginning(false));
    snprintf(expected + len, sizeof expected - (size_t)len, "%sin 1\n2\n", beginning(false));
    ck_assert_str_eq(read_back("count-4.rec"), expected);
}
END_TEST

/* ---- size ------------------------------------------------------------------------------- */

#define LITTLE ",\"stormcell.record.max.bytes\":1"

/* A file holds one message at least. What the component says, and task ids, stay with what they answer. */
START_TEST(full_files_are_put_aside)
{
    start(LITTLE);
    put(RECORD_OUT, "hello");
    put(RECORD_IN, "1");
    put(RECORD_IN, "[5]");
    put(RECORD_OUT, "ack");
    ck_assert_ptr_nonnull(strstr(read_back("count-4.rec.1"), "\"goes_on\":false}\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nout 5\nhello\n"));
    ck_assert_ptr_null(strstr(text, "ack"));
    ck_assert_ptr_nonnull(strstr(read_back("count-4.rec"), "\"goes_on\":true}\nin "));
    ck_assert_ptr_nonnull(strstr(text, "\nin 1\n1\nin 3\n[5]\nout 3\nack\n"));
    put(RECORD_IN, "2");
    ck_assert_ptr_nonnull(strstr(read_back("count-4.rec.1"), "\nout 3\nack\n"));
    ck_assert_ptr_null(strstr(text, "hello"));
    ck_assert_ptr_nonnull(strstr(read_back("count-4.rec"), "\nin 1\n2\n"));
}
END_TEST

START_TEST(up_to_the_limit)
{
    char conf[60];
    start("");
    put(RECORD_IN, "1");
    off_t one = size_of("count-4.rec");
    record_free(record);
    remove(path_of("count-4.rec"));
    /* the setting itself is in the handshake */
    snprintf(conf, sizeof conf, ",\"stormcell.record.max.bytes\":%d", (int)one + 500);
    start(conf);
    off_t before;
    do {
        before = size_of("count-4.rec");
        put(RECORD_IN, "1");
    } while (size_of("count-4.rec.1") < 0);
    ck_assert_int_eq(size_of("count-4.rec.1"), before);
    ck_assert_int_le(before, one + 500);
    ck_assert_int_gt(before, one + 400);
}
END_TEST

/* What an earlier worker left full. */
START_TEST(a_full_file_at_the_start)
{
    start("");
    put(RECORD_IN, "old");
    record_free(record);
    start(LITTLE);
    ck_assert_ptr_nonnull(strstr(read_back("count-4.rec.1"), "\nin 3\nold\n"));
    ck_assert_ptr_nonnull(strstr(read_back("count-4.rec"), "\"goes_on\":false}\n"));
}
END_TEST

/* ---- what stands in its way -------------------------------------------------------------- */

static void
check_refused(const char *why)
{
    struct record *none = record_new(&handshake, &fault);
    ck_assert_ptr_null(none);
    ck_assert_msg(strstr(fault.text, why) != NULL, "%s", fault.text);
}

static const struct {
    const char *directory;
    const char *conf;
    const char *why;
} mistakes[] = {
    {"7", "", "stormcell.record must be the path of a directory"},
    {"\"\"", "", "stormcell.record must be the path of a directory"},
    {"\"/dev/null/a\"", "", "/dev/null/a/count-4.rec: Not a directory"},
    {"\"/tmp\"", ",\"stormcell.record.max.bytes\":0",
     "stormcell.record.max.bytes must be a whole number of bytes, at least 1"},
    {"\"/tmp\"", ",\"stormcell.record.max.bytes\":\"1\"",
     "stormcell.record.max.bytes must be a whole number of bytes, at least 1"},
};

enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(mistake)
{
    say_hello("count", mistakes[_i].directory, mistakes[_i].conf);
    check_refused(mistakes[_i].why);
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
    static char directory[PATH_MAX + 3];
    memset(directory, 'x', PATH_MAX + 1);
    directory[0] = directory[PATH_MAX + 1] = '"';
    say_hello("count", directory, "");
    check_refused("stormcell.record is longer than a path may be");
}
END_TEST

START_TEST(a_file_that_is_taken)
{
    start("");
    check_refused("/count-4.rec: another process records to it");
}
END_TEST

START_TEST(something_else_in_its_place)
{
    FILE *file = fopen(path_of("count-4.rec"), "w");
    fputs("stormcell recording 2\n", file);
    fclose(file);
    say_hello_here("");
    check_refused("/count-4.rec: something else is in the file");
    ck_assert_int_eq(size_of("count-4.rec"), (off_t)strlen("stormcell recording 2\n"));
}
END_TEST

START_TEST(a_link_in_its_place)
{
    ck_assert_int_eq(symlink("target", path_of("count-4.rec")), 0);
    say_hello_here("");
    check_refused("/count-4.rec: it is a symbolic link");
    ck_assert_int_eq(size_of("target"), -1);
}
END_TEST

START_TEST(a_pipe_in_its_place)
{
    ck_assert_int_eq(mkfifo(path_of("count-4.rec"), 0600), 0);
    say_hello_here("");
    check_refused("/count-4.rec: it is no regular file");
}
END_TEST

/* No part of the message for which there is no room stays behind. */
START_TEST(a_full_disk)
{
    char many[2000];
    struct rlimit before;
    start("");
    put(RECORD_IN, "1");
    off_t size = size_of("count-4.rec");
    memset(many, 'x', sizeof many);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {(rlim_t)size + 1000, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int result = record_write(record, RECORD_IN, (struct slice){many, sizeof many}, &fault);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(result, -1);
    ck_assert_ptr_nonnull(strstr(fault.text, "/count-4.rec: File too large"));
    ck_assert_int_eq(size_of("count-4.rec"), size);
}
END_TEST

/* ---- secrets ---------------------------------------------------------------------------- */

static const struct {
    const char *conf;
    const char *redacted;
} secrets[] = {
    {"{\"db.password\":\"x\",\"user\":\"joe\"}", "{\"db.password\":\"***\",\"user\":\"joe\"}"},
    {"{\"DB_PassWord\":7,\"password\":0.5}", "{\"DB_PassWord\":0,\"password\":0.0}"},
    {"{\"password\":null,\"use.tokens\":true}", "{\"password\":null,\"use.tokens\":true}"},
    {"{\"storm.zookeeper.auth.payload\":\"a:b\"}", "{\"storm.zookeeper.auth.payload\":\"***\"}"},
    {"{\"aws_access_key_id\":\"x\",\"api-key\":\"y\",\"privateKey\":\"z\"}",
     "{\"aws_access_key_id\":\"***\",\"api-key\":\"***\",\"privateKey\":\"***\"}"},
    {"{\"credentials\":{\"user\":\"joe\",\"list\":[\"a\",1]}}",
     "{\"credentials\":{\"user\":\"***\",\"list\":[\"***\",0]}}"},
    {"{\"list\":[{\"Secret\":\"x\"},\"y\"]}", "{\"list\":[{\"Secret\":\"***\"},\"y\"]}"},
    {"{\"url\":\"kafka://joe:x@host/a\",\"b\":\"http://host/@\"}",
     "{\"url\":\"***\",\"b\":\"http://host/@\"}"},
    {"{\"opts\":\"-Xmx1g -Dssl.keyStorePassword=x\",\"more\":\"-Da=b\"}",
     "{\"opts\":\"***\",\"more\":\"-Da=b\"}"},
    {"{\"topology.workers\":2,\"passenger\":\"x\",\"pass.word\":\"y\",\"tok\":\"z\"}",
     "{\"topology.workers\":2,\"passenger\":\"x\",\"pass.word\":\"***\",\"tok\":\"z\"}"},
};

enum { SECRETS = sizeof secrets / sizeof secrets[0] };

START_TEST(secret)
{
    json_t *conf = json_loads(secrets[_i].conf, 0, NULL);
    redact(conf);
    char *redacted = json_dumps(conf, JSON_COMPACT);
    ck_assert_str_eq(redacted, secrets[_i].redacted);
    free(redacted);
    json_decref(conf);
}
END_TEST

START_TEST(a_recording_has_none)
{
    start(",\"db.password\":\"mellon\"");
    put(RECORD_OUT, "1");
    ck_assert_ptr_nonnull(strstr(read_back("count-4.rec"), "\"db.password\":\"***\""));
    ck_assert_ptr_null(strstr(text, "mellon"));
}
END_TEST

Suite *
record_suite(void)
{
    Suite *suite = suite_create("record");
    TCase *tcase = tcase_create("record");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, not_asked_for);
    tcase_add_test(tcase, what_it_looks_like);
    tcase_add_test(tcase, nobody_else_may_read_it);
    tcase_add_test(tcase, names_are_made_safe);
    tcase_add_test(tcase, it_is_added_to);
    tcase_add_test(tcase, full_files_are_put_aside);
    tcase_add_test(tcase, up_to_the_limit);
    tcase_add_test(tcase, a_full_file_at_the_start);
    tcase_add_loop_test(tcase, mistake, 0, MISTAKES);
    tcase_add_test(tcase, a_path_that_is_too_long);
    tcase_add_test(tcase, a_file_that_is_taken);
    tcase_add_test(tcase, something_else_in_its_place);
    tcase_add_test(tcase, a_link_in_its_place);
    tcase_add_test(tcase, a_pipe_in_its_place);
    tcase_add_test(tcase, a_full_disk);
    tcase_add_loop_test(tcase, secret, 0, SECRETS);
    tcase_add_test(tcase, a_recording_has_none);
    suite_add_tcase(suite, tcase);
    return suite;
}
