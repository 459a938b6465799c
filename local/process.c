#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- starting ------------------------------------------------------------------------------ */

enum { INNER, OUTER };

/* The child's end blocks, as Storm's pipes do; ours never does. */
static int
open_pipe(int ends[2], bool child_reads, struct fault *fault)
{
    int both[2];
    if (pipe2(both, O_CLOEXEC) < 0) {
        return fault_errno(fault, "pipe2");
    }
    ends[INNER] = child_reads ? both[0] : both[1];
    ends[OUTER] = child_reads ? both[1] : both[0];
    return fcntl(ends[OUTER], F_SETFL, O_NONBLOCK) < 0 ? fault_errno(fault, "fcntl") : 0;
}

static void
close_pipe(int ends[2])
{
    process_close(&ends[INNER]);
    process_close(&ends[OUTER]);
}

/* The child starts with no signal blocked or ignored, as one of the JVM's does. */
static void
reset_signals(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int
spawn(struct process *process, char *const *command, const char *directory, int pipes[3][2],
      struct fault *fault)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int fd = 0; fd < 3; fd++) {
        posix_spawn_file_actions_adddup2(&actions, pipes[fd][INNER], fd);
    }
    posix_spawn_file_actions_addchdir_np(&actions, directory);
    reset_signals(&attributes);
    int error = posix_spawnp(&process->pid, command[0], &actions, &attributes, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        process->pid = 0;
        return fault_set(fault, FAULT_SYSTEM, 0, "'%s' cannot be started in %s: %s", command[0],
                         directory, strerror(error));
    }
    return 0;
}

static int
open_and_spawn(struct process *process, char *const *command, const char *directory,
               int pipes[3][2], struct fault *fault)
{
    for (int fd = 0; fd < 3; fd++) {
        if (open_pipe(pipes[fd], fd == 0, fault) < 0) {
            return -1;
        }
    }
    return spawn(process, command, directory, pipes, fault);
}

int
process_start(struct process *process, char *const *command, const char *directory,
              struct fault *fault)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    *process = NO_PROCESS;
    int result = open_and_spawn(process, command, directory, pipes, fault);
    for (int fd = 0; fd < 3; fd++) {
        process_close(&pipes[fd][INNER]);
        if (result < 0) {
            close_pipe(pipes[fd]);
        }
    }
    if (result == 0) {
        process->in = pipes[0][OUTER];
        process->out = pipes[1][OUTER];
        process->err = pipes[2][OUTER];
    }
    return result;
}

void
process_close(int *end)
{
    if (*end >= 0) {
        close(*end);
        *end = PROCESS_NONE;
    }
}

/* ---- the end ------------------------------------------------------------------------------- */

bool
process_has_ended(struct process *process, char *how, size_t size)
{
    int status = 0;
    if (process->pid == 0 || waitpid(process->pid, &status, WNOHANG) != process->pid) {
        return false;
    }
    if (WIFSIGNALED(status)) {
        snprintf(how, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(how, size, "exit status %d", WEXITSTATUS(status));
    }
    process->pid = 0;
    return true;
}
