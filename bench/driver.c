/* Storm's side of one measurement: starts a child, sends it prepared tuples, counts and checks what
   it answers, and prints one line of JSON. Everything that can be done before is done before. */
/* sched_setaffinity */
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "answers.h"
#include "child.h"
#include "die.h"
#include "options.h"
#include "ring.h"

enum {
    WRITE_MAX = 64 << 10,  /* bytes a write: a pipe's size */
    SINGLE_MAX = 64,       /* single messages written before it is looked for answers */
    READ_ROOM = 4 << 20,   /* the longest answer */
    SAMPLES_MAX = 4 << 20, /* round trips that are kept */
    PATIENCE_MS = 20000,   /* without any answer */
    IDS_AT_ONCE = 1024     /* lists of task ids in one write */
};

/* What is read at the two ends of the measured time. */
struct reading {
    int64_t ns;
    int64_t cpu_ns;
    int64_t busy_ns;
    uint64_t settled;
};

/* What an emit is answered with where the child waits for it: the tasks that got it. */
static const char TASK_IDS[] = "[5]\nend\n";
enum { TASK_IDS_LEN = sizeof(TASK_IDS) - 1 };

enum phase { WARMING, MEASURING, ENDING };

struct run {
    struct options options;
    struct ring ring;
    struct child child;
    struct answers answers;
    enum phase phase;
    uint64_t sent;
    uint64_t last; /* no more than that many are sent */
    size_t next;   /* the tuple that is sent next */
    size_t part;   /* bytes of it that are sent */
    char *ids;     /* as many lists of task ids as are written at once */
    uint64_t ids_sent;
    size_t ids_part; /* bytes of the next list that are sent */
    bool full;       /* the pipe took less than it was offered */
    char *bytes;     /* read and not yet understood */
    size_t len;
    int64_t sent_ns;
    int64_t moved_ns; /* when the child last took or said something */
    int64_t idle_ns;  /* spent waiting for the child */
    int64_t start_ns;
    int64_t started_ns; /* the handshake was answered */
    struct reading first;
    struct reading end;
    uint32_t *samples; /* round trips with one in flight, ns */
    size_t sample_count;
    long peaks_kib[CHILD_PROCESSES];
};

static int64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct reading
read_clocks(const struct run *run, int64_t now)
{
    return (struct reading){now, child_cpu_ns(&run->child), now - run->idle_ns,
                            run->answers.settled};
}

/* ---- sending -------------------------------------------------------------------------------- */

/* How many tuples may be sent, a half sent one included. */
static size_t
allowance(const struct run *run)
{
    size_t in_flight = (size_t)(run->sent - run->answers.settled);
    size_t left = (size_t)(run->last - run->sent);
    size_t room = run->options.window - in_flight;
    return room < left ? room : left;
}

static void
note_sent(struct run *run, size_t bytes)
{
    bytes += run->part;
    while (bytes >= run->ring.tuples[run->next].frame.len) {
        struct ring_tuple *tuple = &run->ring.tuples[run->next];
        bytes -= tuple->frame.len;
        tuple->live = true;
        run->sent++;
        run->next = run->next + 1 == run->ring.count ? 0 : run->next + 1;
        if (bytes == 0) {
            break;
        }
    }
    run->part = bytes;
}

/* The bytes that the pipe took. */
static size_t
offer(struct run *run, const char *bytes, size_t len)
{
    ssize_t written = write(run->child.to, bytes, len);
    if (written >= 0) {
        run->full = (size_t)written < len;
        return (size_t)written;
    }
    /* a child that has gone shows at the other end, with what it had to say */
    run->full = errno == EAGAIN || errno == EPIPE;
    if (!run->full) {
        die("write: %s", strerror(errno));
    }
    return 0;
}

/* Offer the pipe up to `count` tuples that lie side by side. */
static void
send_tuples(struct run *run, size_t count)
{
    const struct ring_tuple *first = &run->ring.tuples[run->next];
    if (count > run->ring.count - run->next) {
        count = run->ring.count - run->next;
    }
    const struct span last = first[count - 1].frame;
    const char *from = first->frame.ptr + run->part;
    size_t len = (size_t)(last.ptr + last.len - from);
    if (len > WRITE_MAX) {
        len = WRITE_MAX;
    }
    note_sent(run, offer(run, from, len));
}

/* The lists of task ids that the child has yet to get, none while a tuple is half sent. */
static uint64_t
ids_owed(const struct run *run)
{
    bool may_be = run->options.task_ids && run->part == 0;
    return may_be ? run->answers.emits - run->ids_sent : 0;
}

static void
send_ids(struct run *run)
{
    uint64_t owed = ids_owed(run);
    size_t at_once = run->options.single ? 1 : IDS_AT_ONCE;
    size_t count = owed < at_once ? (size_t)owed : at_once;
    size_t sent = run->ids_part;
    sent += offer(run, run->ids + sent, count * TASK_IDS_LEN - sent);
    run->ids_sent += sent / TASK_IDS_LEN;
    run->ids_part = sent % TASK_IDS_LEN;
}

static void
send_what_may_be(struct run *run)
{
    while (!run->full && ids_owed(run) > 0) { /* before tuples, as in Storm */
        send_ids(run);
    }
    if (run->options.single) {
        for (size_t i = 0; i < SINGLE_MAX && !run->full && allowance(run) > 0; i++) {
            send_tuples(run, 1);
        }
    } else if (!run->full && allowance(run) > 0) {
        if (run->options.window == 1) {
            run->sent_ns = now_ns();
        }
        send_tuples(run, allowance(run));
    }
}

/* ---- receiving ------------------------------------------------------------------------------ */

static void
copy_out(const struct run *run, const char *bytes, size_t len)
{
    if (run->options.copy >= 0 && write(run->options.copy, bytes, len) != (ssize_t)len) {
        die("cannot write the copy: %s", strerror(errno));
    }
}

static void
receive(struct run *run)
{
    if (run->len == READ_ROOM) {
        die("an answer of more than %d bytes", READ_ROOM);
    }
    ssize_t got = read(run->child.from, run->bytes + run->len, READ_ROOM - run->len);
    if (got < 0 && errno != EAGAIN) {
        die("read: %s", strerror(errno));
    }
    if (got == 0) {
        child_ended(&run->child, run->answers.settled);
    }
    if (got <= 0) {
        return;
    }
    copy_out(run, run->bytes + run->len, (size_t)got);
    run->len += (size_t)got;
    size_t taken = answers_take(&run->answers, run->bytes, run->len);
    run->len -= taken;
    memmove(run->bytes, run->bytes + taken, run->len);
}

/* Wait for the child. True: something can be read. */
static bool
wait_for_child(struct run *run)
{
    bool more_to_send = !run->full && (allowance(run) > 0 || ids_owed(run) > 0);
    struct pollfd ends[] = {{.fd = run->child.from, .events = POLLIN},
                            {.fd = run->full ? run->child.to : -1, .events = POLLOUT}};
    int ready = poll(ends, 2, 0);
    if (ready == 0 && !more_to_send) {
        int64_t since = now_ns();
        do {
            ready = poll(ends, 2, run->options.sleep ? 100 : 0);
            if (now_ns() - since > PATIENCE_MS * INT64_C(1000000)) {
                die("the child has been silent for %d s with %" PRIu64 " tuples in flight",
                    PATIENCE_MS / 1000, run->sent - run->answers.settled);
            }
        } while (ready == 0);
        run->idle_ns += now_ns() - since;
    }
    if (ready < 0) {
        die("poll: %s", strerror(errno));
    }
    if (ends[1].revents != 0) {
        run->full = false;
    }
    return ends[0].revents != 0;
}

/* ---- the measurement ------------------------------------------------------------------------ */

static void
begin(struct run *run)
{
    size_t greeted = 0;
    run->start_ns = now_ns();
    child_start(&run->child, run->options.command, run->options.child_cpu);
    while (!run->answers.greeted) {
        struct span rest = {run->ring.handshake.ptr + greeted, run->ring.handshake.len - greeted};
        run->full = rest.len > 0;
        ssize_t written = rest.len == 0 ? 0 : write(run->child.to, rest.ptr, rest.len);
        greeted += written > 0 ? (size_t)written : 0;
        if (wait_for_child(run)) {
            receive(run);
        }
    }
    run->started_ns = now_ns();
    run->full = false;
    child_find_processes(&run->child);
    run->idle_ns = 0;
    run->first = read_clocks(run, now_ns());
}

static uint64_t
whole_groups(const struct run *run, uint64_t tuples)
{
    uint64_t group = run->options.group;
    return (tuples + group - 1) / group * group;
}

/* Go from phase to phase by the clock. */
static void
advance(struct run *run, int64_t now)
{
    const struct options *options = &run->options;
    int64_t phase_ms = run->phase == WARMING ? options->warm_up_ms : options->time_ms;
    if (run->phase == ENDING || options->tuples != 0 || now - run->first.ns < phase_ms * 1000000) {
        return;
    }
    if (run->phase == WARMING) {
        run->first = read_clocks(run, now);
        run->phase = MEASURING;
    } else {
        run->end = read_clocks(run, now);
        run->phase = ENDING;
        run->last = whole_groups(run, run->sent + (run->part > 0)); /* half sent: finish it */
    }
}

static void
note_round_trip(struct run *run, int64_t now)
{
    if (run->phase == MEASURING && run->sample_count < SAMPLES_MAX) {
        run->samples[run->sample_count++] = (uint32_t)(now - run->sent_ns);
    }
}

static void
check_count(const struct run *run, const char *what, uint64_t got, uint64_t wanted)
{
    if (got != wanted) {
        die("%" PRIu64 " tuples were settled with %" PRIu64 " %s, and not %" PRIu64, run->sent, got,
            what, wanted);
    }
}

static void
check_counts(const struct run *run)
{
    const struct answers *got = &run->answers;
    uint64_t fails = run->options.fails == 0 ? 0 : run->sent / run->options.fails;
    uint64_t done = run->sent - fails;
    uint64_t logs = done * run->options.logs;
    check_count(run, "fails", got->fails, fails);
    check_count(run, "errors", got->errors, fails);
    check_count(run, "emits", got->emits, done / run->options.group * run->options.emits);
    check_count(run, "logs", got->logs < logs ? got->logs : logs, logs); /* or more */
}

/* Tell whoever watches how far it is, which before was at `settled`. */
static void
tell_progress(const struct run *run, uint64_t settled)
{
    uint64_t each = run->options.tell;
    if (each > 0 && run->answers.settled / each > settled / each) {
        printf("{\"settled\": %" PRIu64 "}\n", run->answers.settled);
        fflush(stdout);
    }
}

static void
converse(struct run *run)
{
    run->last = run->options.tuples == 0 ? UINT64_MAX : whole_groups(run, run->options.tuples);
    while (run->answers.settled + run->options.keeps < run->last) {
        send_what_may_be(run);
        if (!wait_for_child(run)) {
            continue;
        }
        uint64_t settled = run->answers.settled;
        receive(run);
        int64_t now = now_ns();
        if (run->options.window == 1 && run->answers.settled > settled) {
            note_round_trip(run, now);
        }
        if (settled == 0) { /* what a child gathers before it acks anything is no part of it */
            run->first.ns = now;
        }
        advance(run, now);
        tell_progress(run, settled);
    }
    if (run->phase != ENDING) {
        run->end = read_clocks(run, now_ns());
    }
    check_counts(run);
    for (size_t i = 0; i < run->child.count; i++) {
        run->peaks_kib[i] = child_peak_kib(&run->child, i);
    }
    child_stop(&run->child);
}

static int
by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double
percentile_us(const struct run *run, size_t percent)
{
    return run->samples[(run->sample_count - 1) * percent / 100] / 1e3;
}

static double
start_ms(const struct run *run)
{
    return (double)(run->started_ns - run->start_ns) / 1e6;
}

static void
report(struct run *run)
{
    bool spout = run->options.spout && run->options.emits > 0;
    double unit = spout ? (double)run->options.emits : 1; /* of a spout, a tuple is an emit */
    double seconds = (double)(run->end.ns - run->first.ns) / 1e9;
    double tuples = unit * (double)(run->end.settled - run->first.settled);
    if (tuples == 0) {
        die("no tuple was settled in %.2f s", seconds);
    }
    printf("{\"tuples\": %.0f, \"seconds\": %.6f, \"rate\": %.1f, \"cpu_us\": %.4f", tuples,
           seconds, tuples / seconds, (double)(run->end.cpu_ns - run->first.cpu_ns) / 1e3 / tuples);
    printf(", \"driver_busy\": %.3f",
           (double)(run->end.busy_ns - run->first.busy_ns) / 1e9 / seconds);
    if (run->sample_count > 0) {
        qsort(run->samples, run->sample_count, sizeof(*run->samples), by_size);
        printf(", \"p50_us\": %.2f, \"p99_us\": %.2f", percentile_us(run, 50),
               percentile_us(run, 99));
    }
    printf(", \"start_ms\": %.3f, \"peak_kib\": [", start_ms(run));
    for (size_t i = 0; i < run->child.count; i++) {
        printf("%s%ld", i == 0 ? "" : ", ", run->peaks_kib[i]);
    }
    printf("], \"sent\": %" PRIu64 ", \"acks\": %" PRIu64 ", \"emits\": %" PRIu64
           ", \"logs\": %" PRIu64 ", \"fails\": %" PRIu64 "}\n",
           run->sent, run->answers.settled - run->answers.fails, run->answers.emits,
           run->answers.logs, run->answers.fails);
}

/* ---- starting ------------------------------------------------------------------------------- */

/* Settle where this process runs, and whether it may spin there. */
static void
take_place(struct options *options)
{
    cpu_set_t set;
    if (options->parent_cpu >= 0) {
        CPU_ZERO(&set);
        CPU_SET((size_t)options->parent_cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    bool alone = sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1 &&
                 (options->child_cpu < 0 || options->child_cpu == options->parent_cpu);
    options->sleep = options->sleep || alone; /* spinning would take the child's time */
}

/* No tuple is sent again while it is in flight. In a group, some may be acked before the first. */
static void
limit_window(struct run *run)
{
    size_t group = (size_t)run->options.group;
    if (group == 0 || group > run->ring.count) {
        die("a group of %zu out of %zu tuples", group, run->ring.count);
    }
    size_t most = run->ring.count - (group - 1);
    if (run->options.window == 0 || run->options.window > most) {
        run->options.window = most;
    }
}

static void
prepare(struct run *run)
{
    run->bytes = malloc(READ_ROOM + ANSWERS_SLACK);
    run->samples = malloc(SAMPLES_MAX * sizeof(*run->samples));
    run->ids = malloc(IDS_AT_ONCE * TASK_IDS_LEN);
    if (run->bytes == NULL || run->samples == NULL || run->ids == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < IDS_AT_ONCE; i++) {
        memcpy(run->ids + i * TASK_IDS_LEN, TASK_IDS, TASK_IDS_LEN);
    }
}

static void
measure(struct run *run)
{
    if (run->options.what == WHOLE_RUN) {
        begin(run);
        converse(run);
        report(run);
        return;
    }
    if (run->options.what == START_TO_ANSWER) {
        begin(run);
        child_stop(&run->child);
    } else {
        run->start_ns = now_ns();
        child_start(&run->child, run->options.command, run->options.child_cpu);
        child_wait(&run->child);
        run->started_ns = now_ns();
    }
    printf("{\"start_ms\": %.3f}\n", start_ms(run));
}

int
main(int argc, char **argv)
{
    static struct run run;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* without its caller it measures for nobody */
    run.options = options_take(argc, argv);
    take_place(&run.options);
    ring_load(&run.ring, run.options.input, !run.options.spout);
    limit_window(&run);
    run.answers = (struct answers){.ring = &run.ring, .spout = run.options.spout};
    run.answers.may_fail = run.options.fails > 0;
    prepare(&run);
    measure(&run);
    return 0;
}
