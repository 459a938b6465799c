/* The arena under fire: this process is Storm and the guardian, and its interpreter, a process of its own,
   is killed at random moments. Whoever takes over carries on with what is in the arena, and in the end
   each message of Storm's has had exactly one answer, whoever gave it.

   Where the interpreter was killed within a system call on the wire, that is not to be known, and the
   arena must say so: then nothing is torn but the last message, and all begins anew.

   STORMCELL_KILL_SECONDS: how long, if not 3; STORMCELL_KILL_SEED: where chance starts. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "clock.h"
#include "oracle.h"
#include "recovery.h"
#include "require.h"
#include "session.h"
#include "storm.h"
#include "suites.h"
#include "texts.h"
#include "wire.h"

enum {
    MESSAGES = 4000, /* of Storm's in a round */
    LINE = 300,      /* of them that have no answer yet, at most */
    HOLDS = 100,     /* tuples that the component has in hand, at most */
    SOON_NS = 20000, /* a few messages' time */
    STUCK_MS = 60 * 1000
};

enum { WRONG_ID = 3, WRONG_TASK_IDS, FAULTY };

/* ---- the interpreter, in its own process ------------------------------------------------- */

struct worker {
    struct session *session;
    struct chance chance;
    int64_t holds[HOLDS]; /* numbers of tuples in hand */
    unsigned held;
    unsigned until_end; /* messages before the last one */
};

static void
need(bool done)
{
    if (!done) {
        _exit(FAULTY);
    }
}

/* Storm ended or closed its side while the interpreter was at work: nothing is left to do. */
static void
leave(void)
{
    _exit(0);
}

/* Be killed in the middle of what comes next: from outside it would mostly be within a system call. */
static void
end_soon(struct worker *worker)
{
    struct sigevent kills = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec soon = {.it_value.tv_nsec = 1 + chance_below(&worker->chance, SOON_NS)};
    timer_t timer;
    need(timer_create(CLOCK_MONOTONIC, &kills, &timer) == 0);
    need(timer_settime(timer, 0, &soon, NULL) == 0);
}

/* Ids are numbers and other texts. */
static struct slice
id_text(int64_t number)
{
    static char text[40];
    int len = number % 3 == 0 ? snprintf(text, sizeof text, "tuple/%lld", (long long)number)
                              : snprintf(text, sizeof text, "%lld", (long long)number);
    return (struct slice){text, (size_t)len};
}

static int64_t
id_number(const char *text)
{
    return strtoll(strncmp(text, "tuple/", 6) == 0 ? text + 6 : text, NULL, 10);
}

static void
settle(struct worker *worker, int64_t number)
{
    struct tuple_id id = tuple_id_parse(id_text(number));
    if (chance_below(&worker->chance, 8) == 0) {
        need(session_fail(worker->session, id, NULL) == 0);
    } else {
        need(session_ack(worker->session, id, NULL) == 0);
    }
}

static void
emit(struct worker *worker, int64_t number, bool ask)
{
    struct emit emit = {.task = -1, .need_task_ids = ask};
    struct buffer *values = session_begin_emit(worker->session, &emit, 1, NULL);
    need(values != NULL && json_write_int(values, number, NULL) == 0);
    need(session_end_emit(worker->session, NULL) == 0);
}

/* The task ids of an emit are its own: Storm answers with its number. */
static void
await_task_ids(struct worker *worker, int64_t number)
{
    struct slice ids;
    int result;
    while ((result = session_task_ids(worker->session, &ids, NULL)) == 0) {
        if (session_ended(worker->session)) {
            leave();
        }
        need(session_flush(worker->session, NULL) >= 0);
        need(session_wait(worker->session, 100, NULL) == 0);
    }
    need(result == 1);
    if (strtoll(ids.ptr + 1, NULL, 10) != number) {
        _exit(WRONG_TASK_IDS);
    }
}

static void
emit_by_chance(struct worker *worker, int64_t number)
{
    uint32_t choice = chance_below(&worker->chance, 32);
    if (choice < 8) {
        emit(worker, number, choice == 0);
    }
    if (choice == 0) {
        await_task_ids(worker, number);
    }
}

/* A tuple is settled at once, or held for a while. */
static void
process(struct worker *worker, const struct message *message)
{
    struct tuple_id id = session_tuple_id(worker->session, &message->id, NULL);
    int64_t number = strtoll(message->values.ptr + 1, NULL, 10);
    if (!slice_equal(id.text, id_text(number)) || session_is_live(worker->session, id)) {
        _exit(WRONG_ID);
    }
    need(session_hand_out(worker->session, id, NULL) == 0);
    emit_by_chance(worker, number);
    if (worker->held == HOLDS || chance_below(&worker->chance, 3) > 0) {
        settle(worker, number);
    } else {
        worker->holds[worker->held++] = number;
    }
    while (worker->held > 0 && chance_below(&worker->chance, 3) == 0) {
        uint32_t which = chance_below(&worker->chance, worker->held);
        settle(worker, worker->holds[which]);
        worker->holds[which] = worker->holds[--worker->held];
    }
}

static void
obey(struct worker *worker)
{
    static int64_t number = 1 << 20;
    for (uint32_t left = chance_below(&worker->chance, 3); left > 0; left--) {
        emit_by_chance(worker, number++);
    }
    need(session_sync(worker->session, NULL) == 0);
}

static void
work(struct worker *worker)
{
    struct message message;
    while (session_next(worker->session, &message, NULL) > 0) {
        if (worker->until_end-- == 0) {
            end_soon(worker);
        }
        if (message.kind == MESSAGE_TUPLE) {
            process(worker, &message);
        } else {
            obey(worker);
        }
        if (chance_below(&worker->chance, 100) == 0) {
            need(session_log(worker->session, LEVEL_INFO, SLICE("still here"), NULL) == 0);
        }
        need(session_breathe(worker->session, NULL) >= 0);
    }
    while (worker->held > 0) { /* nothing waits: nothing would settle them */
        settle(worker, worker->holds[--worker->held]);
    }
}

static _Noreturn void
interpret(struct arena *arena, bool spout, uint64_t seed)
{
    struct worker worker = {.chance = {seed}, .session = session_new(arena, NULL)};
    int shaken;
    need(worker.session != NULL);
    worker.until_end = chance_below(&worker.chance, 500);
    while ((shaken = session_handshake(worker.session, NULL)) == 0) {
        need(session_wait(worker.session, 100, NULL) == 0);
    }
    need(shaken == 1 && session_answer(worker.session, NULL) == 0);
    session_serve(worker.session, spout);
    while (!session_ended(worker.session)) {
        work(&worker);
        need(session_flush(worker.session, NULL) >= 0);
        need(session_wait(worker.session, 100, NULL) == 0);
    }
    _exit(0);
}

/* ---- Storm and the guardian -------------------------------------------------------------- */

struct round {
    struct storm storm;
    struct chance chance;
    struct buffer unsaid;
    struct buffer lane; /* the guardian's */
    bool spout;
    pid_t interpreter;
    unsigned lives;    /* interpreters so far */
    unsigned said;     /* messages */
    unsigned answered; /* of them */
    unsigned tuples;
    unsigned char settled[MESSAGES]; /* by number: how often */
    bool given[MESSAGES];            /* said at all */
    unsigned syncs_due;
    unsigned syncs;
    unsigned remarks_said; /* the guardian's */
    unsigned remarks;
};

static void
put(struct round *round, const char *text, int len)
{
    REQUIRE(buffer_append(&round->unsaid, (struct slice){text, (size_t)len}, NULL) == 0);
}

static void
say_one(struct round *round)
{
    char text[200];
    unsigned number = round->said++;
    if (round->spout) {
        put(round, text, snprintf(text, sizeof text, "{\"command\":\"next\",\"id\":\"\"}" END));
        round->syncs_due++;
    } else if (chance_below(&round->chance, 10) == 0) {
        put(round, HEARTBEAT, (int)strlen(HEARTBEAT));
        round->syncs_due++;
    } else {
        struct slice id = id_text(number);
        put(round, text,
            snprintf(text, sizeof text,
                     "{\"comp\":\"word\",\"tuple\":[%u],\"task\":4,\"stream\":\"default\","
                     "\"id\":\"%.*s\"}" END,
                     number, (int)id.len, id.ptr));
        round->given[number] = true;
        round->tuples++;
    }
}

/* Write what the pipe takes; what is unsaid is a few messages in pieces of any length. */
static void
speak(struct round *round)
{
    struct buffer *unsaid = &round->unsaid;
    while (round->said < MESSAGES && round->said - round->answered < LINE) {
        say_one(round);
    }
    while (unsaid->len > 0) {
        size_t len = 1 + chance_below(&round->chance, 4000);
        ssize_t n = write(round->storm.say, unsaid->data, len < unsaid->len ? len : unsaid->len);
        if (n < 0) {
            REQUIRE(errno == EAGAIN);
            return;
        }
        unsaid->len -= (size_t)n;
        memmove(unsaid->data, unsaid->data + n, unsaid->len);
    }
}

static void
note_settled(struct round *round, const json_t *message)
{
    int64_t number = id_number(json_string_value(json_object_get(message, "id")));
    ck_assert(number >= 0 && number < (int64_t)round->said && round->given[number]);
    ck_assert_msg(round->settled[number]++ == 0, "tuple %lld is settled twice", (long long)number);
    round->answered++;
}

/* An emit that asks is answered; one whose tuple failed meanwhile as well. */
static void
note_emit(struct round *round, const json_t *message)
{
    char text[40];
    const json_t *values = json_object_get(message, "tuple");
    if (json_is_true(json_object_get(message, "need_task_ids"))) {
        long long number = json_integer_value(json_array_get(values, 0));
        put(round, text, snprintf(text, sizeof text, "[%lld]" END, number));
    }
}

static void
note_log(struct round *round, const json_t *message)
{
    unsigned number;
    const char *text = json_string_value(json_object_get(message, "msg"));
    if (sscanf(text, "guardian %u", &number) == 1) {
        ck_assert_uint_eq(number, round->remarks++);
    }
}

static void
hear_message(struct round *round, struct slice frame)
{
    json_t *message = oracle_load(frame);
    ck_assert_msg(json_is_object(message), "torn: %.*s", (int)frame.len, frame.ptr);
    const char *command = json_string_value(json_object_get(message, "command"));
    if (command == NULL) {
        ck_assert_int_eq(json_integer_value(json_object_get(message, "pid")), getpid());
    } else if (strcmp(command, "ack") == 0 || strcmp(command, "fail") == 0) {
        note_settled(round, message);
    } else if (strcmp(command, "sync") == 0) {
        ck_assert_uint_lt(round->syncs++, round->syncs_due);
        round->answered++;
    } else if (strcmp(command, "emit") == 0) {
        note_emit(round, message);
    } else {
        ck_assert_str_eq(command, "log");
        note_log(round, message);
    }
    json_decref(message);
}

static void
hear(struct round *round)
{
    struct buffer *heard = &round->storm.heard;
    size_t at = 0;
    char *end;
    storm_hear(&round->storm);
    while (heard->len > at && (end = memmem(heard->data + at, heard->len - at, END, 5)) != NULL) {
        size_t next = (size_t)(end - heard->data);
        hear_message(round, (struct slice){heard->data + at, next - at});
        at = next + 5;
    }
    heard->len -= at;
    memmove(heard->data, heard->data + at, heard->len);
}

/* The guardian writes both lanes, and has something to say itself now and then. */
static void
guard(struct round *round)
{
    char text[40];
    if (chance_below(&round->chance, 4) == 0) {
        int len = snprintf(text, sizeof text, "guardian %u", round->remarks_said++);
        struct slice remark = {text, (size_t)len};
        ck_assert_int_eq(message_write_log(&round->lane, LEVEL_INFO, remark, NULL), 0);
    }
    wire_commit(round->storm.arena, WRITER_GUARDIAN, &round->lane);
    if (wire_flush(round->storm.arena, WRITER_GUARDIAN, &round->lane, NULL) < 0) {
        ck_assert_int_eq(recovery_check(round->storm.arena, NULL), -1); /* it says so as well */
    }
}

static bool
is_done(const struct round *round)
{
    return round->answered == MESSAGES && round->unsaid.len == 0;
}

/* Let it work until it is killed, which it sees to itself or is done here, or all is done. */
static void
let_work(struct round *round)
{
    int status;
    int64_t deadline = clock_ms() + STUCK_MS;
    bool outlives = chance_below(&round->chance, 4) > 0;
    int64_t until = outlives ? INT64_MAX : clock_ns() + chance_below(&round->chance, 3000) * 1000;
    while (waitpid(round->interpreter, &status, WNOHANG) == 0) {
        ck_assert_int_lt(clock_ms(), deadline);
        if (clock_ns() > until || is_done(round)) {
            kill(round->interpreter, SIGKILL);
        }
        speak(round);
        hear(round);
        guard(round);
    }
    ck_assert_msg(WIFSIGNALED(status), "the interpreter found a mistake: %d", WEXITSTATUS(status));
}

/* What the guardian does for a lost one, before there is the next. */
static void
take_over(struct round *round)
{
    struct arena *arena = round->storm.arena;
    size_t cursor = 0;
    bool owes = recovery_mend(arena);
    while (recovery_fail_one(arena, &round->lane, &cursor) != 0) {
    }
    ck_assert_uint_eq(ids_count(arena), 0);
    if (owes) {
        ck_assert_int_eq(message_write_sync(&round->lane, NULL), 0);
    }
}

static void
begin(struct round *round, uint64_t seed)
{
    *round = (struct round){.chance = {seed}};
    round->spout = chance_below(&round->chance, 3) == 0;
    storm_start(&round->storm, chance_below(&round->chance, 2) ? 4096 : 0);
    round->lane = wire_lane(round->storm.arena, WRITER_GUARDIAN);
    put(round, HANDSHAKE, (int)strlen(HANDSHAKE));
}

static void
start_interpreter(struct round *round)
{
    uint64_t seed = chance_bits(&round->chance);
    round->lives++;
    round->interpreter = fork();
    if (round->interpreter == 0) {
        interpret(round->storm.arena, round->spout, seed);
    }
    ck_assert_int_gt(round->interpreter, 0);
}

static void
end(struct round *round)
{
    for (unsigned i = 0; is_done(round) && i < MESSAGES; i++) {
        ck_assert_uint_eq(round->settled[i], round->given[i]);
    }
    buffer_deinit(&round->unsaid);
    storm_end(&round->storm);
}

/* True if it came to its end; else what Storm was told before is not known. */
static bool
play(struct round *round)
{
    bool known = true;
    while (known && !is_done(round)) {
        start_interpreter(round);
        let_work(round);
        known = recovery_check(round->storm.arena, NULL) == 0;
        if (known) {
            take_over(round);
        }
    }
    hear(round);
    return known;
}

static int64_t
setting(const char *name, int64_t otherwise)
{
    return getenv(name) != NULL ? strtoll(getenv(name), NULL, 10) : otherwise;
}

START_TEST(killed_at_random_moments)
{
    static struct round round;
    uint64_t seed = (uint64_t)setting("STORMCELL_KILL_SEED", (int64_t)time(NULL));
    int64_t until = clock_ms() + 1000 * setting("STORMCELL_KILL_SECONDS", 3);
    unsigned lives = 0, rounds = 0, whole = 0;
    printf("STORMCELL_KILL_SEED=%llu\n", (unsigned long long)seed);
    signal(SIGPIPE, SIG_IGN);
    for (; clock_ms() < until || whole == 0; rounds++) {
        begin(&round, seed + rounds);
        whole += play(&round);
        lives += round.lives;
        end(&round);
    }
    printf("%u interpreters killed in %u rounds, %u of which came to their end\n", lives, rounds,
           whole);
}
END_TEST

Suite *
kills_suite(void)
{
    Suite *suite = suite_create("kills");
    TCase *tcase = tcase_create("kills");
    double seconds = (double)setting("STORMCELL_KILL_SECONDS", 3);
    tcase_set_tags(tcase, "own-process");
    tcase_set_timeout(tcase, 60 + seconds);
    tcase_add_test(tcase, killed_at_random_moments);
    suite_add_tcase(suite, tcase);
    return suite;
}
