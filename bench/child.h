/* The process that is measured, with all the processes that it starts: one process group. */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { CHILD_PROCESSES = 16 };

struct child {
    pid_t pid;
    int to;                      /* its stdin, non-blocking at this end */
    int from;                    /* its stdout */
    pid_t pids[CHILD_PROCESSES]; /* `pid` and what that has started */
    clockid_t clocks[CHILD_PROCESSES];
    size_t count;
};

/* Start the command, on one CPU if `cpu` is not negative. However this process ends, the child does
   too. One a process. */
void child_start(struct child *child, char *const command[], int cpu);

/* Find the processes of which it consists, once it is up. */
void child_find_processes(struct child *child);

/* The CPU time that these have used, ns. */
int64_t child_cpu_ns(const struct child *child);

/* The most memory that its process `index` ever held, KiB. */
long child_peak_kib(const struct child *child, size_t index);

/* Wait for its end; an end with another status than 0 ends the driver. */
void child_wait(struct child *child);

/* Say how it ended before its work was done, and give up. */
_Noreturn void child_ended(const struct child *child, uint64_t settled);

/* Close its stdin, as Storm does, and wait until it has gone; it is killed if it takes too long. */
void child_stop(struct child *child);

#endif
