/* What the driver is told on its command line. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *input;
    char **command;
    enum { WHOLE_RUN, START_TO_ANSWER, START_TO_EXIT } what; /* is measured */
    size_t window; /* tuples in flight at most; 0: as many as there are */
    bool single;   /* one message a write(2), as Storm writes */
    bool sleep;    /* sleep in poll(2) for answers, as Storm's threads do; else spin */
    int64_t warm_up_ms;
    int64_t time_ms;
    uint64_t tuples; /* stop after that many instead of by the clock */
    bool spout;      /* INPUT holds commands for a spout: a sync settles each, as an ack a tuple */
    bool task_ids;   /* answer each emit with the tasks that got it: the child waits for that */
    uint64_t group;  /* so many tuples are worked on together, and then acked */
    uint64_t emits;  /* expected for each group */
    uint64_t logs;   /* expected for each tuple, at least */
    uint64_t fails;  /* each so many-th tuple is failed with an error and nothing else; 0: none */
    uint64_t keeps;  /* the child never acks the last so many tuples */
    uint64_t tell;   /* print a line whenever so many more tuples are settled; 0: at the end */
    int copy;        /* what the child says is written here too, or -1 */
    int parent_cpu;  /* -1: wherever the system likes */
    int child_cpu;
};

/* Read the command line; one that makes no sense ends the program with the usage. */
struct options options_take(int argc, char **argv);

#endif
