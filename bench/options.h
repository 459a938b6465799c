/* What the driver is told on its command line. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *input;
    char **command;
    size_t window; /* tuples in flight at most; 0: as many as there are */
    bool single;   /* one message a write(2), as Storm writes */
    bool sleep;    /* sleep in poll(2) for answers, as Storm's threads do; else spin */
    int64_t warm_up_ms;
    int64_t time_ms;
    uint64_t tuples; /* stop after that many instead of by the clock */
    uint64_t emits;  /* expected for each tuple */
    int copy;        /* what the child says is written here too, or -1 */
    int parent_cpu;  /* -1: wherever the system likes */
    int child_cpu;
};

/* Read the command line; one that makes no sense ends the program with the usage. */
struct options options_take(int argc, char **argv);

#endif
