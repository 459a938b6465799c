/* A component's process, started as Storm's ShellProcess starts one: three pipes, the topology's resources
   as working directory, the environment inherited. */
#ifndef STORMCELL_LOCAL_PROCESS_H
#define STORMCELL_LOCAL_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "fault.h"

/* Our ends of the pipes do not block and are closed on exec; -1 where one is closed. */
struct process {
    pid_t pid; /* 0: none runs */
    int in;    /* to its stdin */
    int out;   /* from its stdout */
    int err;   /* from its stderr */
};

enum { PROCESS_NONE = -1 };

static const struct process NO_PROCESS = {0, PROCESS_NONE, PROCESS_NONE, PROCESS_NONE};

/* 0, or -1 with FAULT_SYSTEM that names the program. */
int process_start(struct process *process, char *const *command, const char *directory,
                  struct fault *fault);

/* Close one end and note so. */
void process_close(int *end);

/* If it has ended: take it off and say how ("exit status 1", "signal 9 (Killed)"); its pipes stay. */
bool process_has_ended(struct process *process, char *how, size_t size);

#endif
