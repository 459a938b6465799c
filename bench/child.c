/* sched_setaffinity, pipe2 */
#define _GNU_SOURCE

#include "child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"

enum { STOP_MS = 3000 };

/* The group to end with this process; a signal's handler reads it. */
static volatile pid_t group;

static void
kill_group(void)
{
    if (group > 0) {
        kill(-group, SIGKILL);
    }
}

static void
on_signal(int number)
{
    kill_group();
    _exit(128 + number);
}

/* In the new process: become the command. */
static _Noreturn void
become(char *const command[], int in, int out, int cpu)
{
    setpgid(0, 0); /* the terminal's Ctrl-C is for the driver */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    signal(SIGPIPE, SIG_DFL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execvp(command[0], command);
    fprintf(stderr, "driver: cannot start %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

void
child_start(struct child *child, char *const command[], int cpu)
{
    int to[2];
    int from[2];
    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
        die("pipe: %s", strerror(errno));
    }
    signal(SIGPIPE, SIG_IGN);
    child->pid = fork();
    if (child->pid == 0) {
        become(command, to[0], from[1], cpu);
    }
    if (child->pid < 0) {
        die("fork: %s", strerror(errno));
    }
    setpgid(child->pid, child->pid); /* here too: whoever comes first */
    group = child->pid;
    atexit(kill_group);
    for (size_t i = 0; i < 3; i++) {
        signal((const int[]){SIGINT, SIGTERM, SIGHUP}[i], on_signal);
    }
    close(to[0]);
    close(from[1]);
    child->to = to[1];
    child->from = from[0];
    fcntl(child->to, F_SETFL, O_NONBLOCK);
    fcntl(child->from, F_SETFL, O_NONBLOCK);
}

/* The process that started `pid`, or -1: it is gone. */
static pid_t
parent_of(pid_t pid)
{
    char path[64];
    int parent = -1;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        /* The name in brackets has none of its own in what is measured. */
        if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1) {
            parent = -1;
        }
        fclose(file);
    }
    return (pid_t)parent;
}

/* Is it the child, or was it started by one of its processes? Not by group: a host may give its interpreter
   one of its own. */
static bool
belongs(const struct child *child, pid_t pid)
{
    pid_t parent = pid == child->pid ? pid : parent_of(pid);
    bool found = parent == child->pid;
    for (size_t i = 0; i < child->count && !found; i++) {
        found = parent == child->pids[i];
    }
    return found;
}

void
child_find_processes(struct child *child)
{
    DIR *processes = opendir("/proc");
    if (processes == NULL) {
        die("cannot read /proc: %s", strerror(errno));
    }
    child->count = 0;
    for (struct dirent *entry = readdir(processes); entry != NULL; entry = readdir(processes)) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid <= 0 || child->count == CHILD_PROCESSES || !belongs(child, pid)) {
            continue;
        }
        if (clock_getcpuclockid(pid, &child->clocks[child->count]) == 0) {
            child->pids[child->count++] = pid;
        }
    }
    closedir(processes);
}

int64_t
child_cpu_ns(const struct child *child)
{
    int64_t sum = 0;
    for (size_t i = 0; i < child->count; i++) {
        struct timespec used;
        if (clock_gettime(child->clocks[i], &used) < 0) {
            die("one of the child's processes ended while it was measured");
        }
        sum += (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
    }
    return sum;
}

long
child_peak_kib(const struct child *child, size_t index)
{
    char line[256];
    long kib = -1;
    snprintf(line, sizeof(line), "/proc/%d/status", (int)child->pids[index]);
    FILE *status = fopen(line, "r");
    while (status != NULL && kib < 0 && fgets(line, sizeof(line), status) != NULL) {
        sscanf(line, "VmHWM: %ld", &kib);
    }
    if (kib < 0) {
        die("one of the child's processes ended before its memory was read");
    }
    fclose(status);
    return kib;
}

void
child_wait(struct child *child)
{
    int status;
    if (waitpid(child->pid, &status, 0) < 0 || status != 0) {
        die("the child did not end well: wait status %d", status);
    }
    group = 0;
}

/* Wait for its end, but not for ever. */
static bool
has_ended(const struct child *child, int *status)
{
    for (int waited = 0; waited < STOP_MS; waited += 2) {
        if (waitpid(child->pid, status, WNOHANG) == child->pid) {
            return true;
        }
        usleep(2000);
    }
    return false;
}

void
child_ended(const struct child *child, uint64_t settled)
{
    int status;
    if (!has_ended(child, &status)) {
        die("the child closed its stdout after %" PRIu64 " answers", settled);
    }
    if (WIFSIGNALED(status)) {
        die("the child was killed by signal %d after %" PRIu64 " answers", WTERMSIG(status),
            settled);
    }
    die("the child ended with status %d after %" PRIu64 " answers", WEXITSTATUS(status), settled);
}

void
child_stop(struct child *child)
{
    int status;
    close(child->to);
    has_ended(child, &status);
    kill_group();
    group = 0;
    close(child->from);
}
