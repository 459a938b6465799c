/* stormcell-engine PLAN: runs a topology here, as Storm would run it on a cluster, without a JVM.

   PLAN is a file, or - for stdin. What happens is told as JSON lines on stdout (docs/engine.md). Exit
   status 0: it ended in order and nothing failed, 1: something did, 2: the plan cannot be used. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"
#include "topology.h"

enum { STATUS_UNUSABLE = 2 };

/* ---- the plan ------------------------------------------------------------------------------ */

static int
read_all(int fd, struct buffer *text, struct fault *fault)
{
    enum { PORTION = 64 << 10 };
    for (;;) {
        char *room = buffer_room(text, PORTION, fault);
        ssize_t n = room != NULL ? read(fd, room, PORTION) : -1;
        if (n == 0 || room == NULL) {
            return n < 0 ? -1 : 0;
        }
        if (n < 0 && errno != EINTR) {
            return fault_errno(fault, "it cannot be read");
        }
        text->len += n > 0 ? (size_t)n : 0;
    }
}

static int
read_plan(const char *name, struct plan *plan, struct fault *fault)
{
    struct buffer text = {0};
    bool from_stdin = strcmp(name, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fault_errno(fault, "it cannot be opened");
    }
    int result = read_all(fd, &text, fault);
    if (result == 0) {
        result = plan_parse(plan, (struct slice){text.data, text.len}, fault);
    }
    if (!from_stdin) {
        close(fd);
    }
    buffer_deinit(&text);
    return result;
}

/* ---- surroundings -------------------------------------------------------------------------- */

/* So that no pipe of a component comes to lie on 0, 1 or 2. */
static void
open_standard_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    close(fd);
}

/* Each task takes three of them. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The signals that ask for the end, as the death of whoever started this does, and that of a child. */
static int
open_signals(struct fault *fault)
{
    sigset_t signals;
    pid_t parent = getppid();
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, as it may be inherited, no end would be told */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (parent == 1 || getppid() != parent) {
        prctl(PR_SET_PDEATHSIG, 0); /* it was gone before: nobody to outlive */
    }
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? fault_errno(fault, "signalfd") : fd;
}

static int
make_pid_dir(struct engine *engine, struct fault *fault)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(engine->pid_dir, sizeof engine->pid_dir, "%s/stormcell-XXXXXX",
             temporary != NULL && strlen(temporary) < 30 ? temporary : "/tmp");
    return mkdtemp(engine->pid_dir) != NULL ? 0
                                            : fault_errno(fault, "a directory for pids is needed");
}

/* A component leaves a file there that is named for its pid. */
static void
remove_pid_dir(const struct engine *engine)
{
    char name[sizeof engine->pid_dir + 300];
    DIR *directory = opendir(engine->pid_dir);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", engine->pid_dir, entry->d_name);
        if (entry->d_name[0] != '.') {
            unlink(name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    rmdir(engine->pid_dir);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int
prepare(struct engine *engine, int *signals, struct fault *fault)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = engine->plan->run.seed;
    engine->random.state = seed != 0 ? seed : (uint64_t)now.tv_nsec * 1000003 + (uint64_t)getpid();
    acker_init(&engine->acker);
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (engine->epoll < 0) {
        return fault_errno(fault, "epoll_create1");
    }
    if (topology_build(engine, fault) < 0 || (*signals = open_signals(fault)) < 0) {
        return -1;
    }
    return make_pid_dir(engine, fault);
}

static void
release(struct engine *engine)
{
    topology_free(engine);
    acker_deinit(&engine->acker);
    buffer_deinit(&engine->values);
    buffer_deinit(&engine->message_id);
    buffer_deinit(&engine->report.lines);
    close(engine->epoll);
}

static int
unusable(const char *name, const struct fault *fault)
{
    fprintf(stderr, "stormcell-engine: the plan %s: %s\n", name, fault->text);
    return STATUS_UNUSABLE;
}

int
main(int argc, char **argv)
{
    static struct engine engine;
    static struct plan plan;
    struct fault fault = {0};
    int status;
    int signals = -1;
    if (argc != 2) {
        fprintf(stderr, "usage: stormcell-engine PLAN   (a file, or - for stdin)\n");
        return STATUS_UNUSABLE;
    }
    open_standard_streams();
    raise_descriptor_limit();
    engine.plan = &plan;
    if (read_plan(argv[1], &plan, &fault) < 0 || prepare(&engine, &signals, &fault) < 0) {
        status = unusable(argv[1], &fault);
    } else {
        status = engine_run(&engine, signals);
        remove_pid_dir(&engine);
        close(signals);
    }
    release(&engine);
    plan_deinit(&plan);
    return status;
}
