/* What happens, for whoever started the engine: one JSON object a line on stdout, in the order in which it
   happened. docs/engine.md has every kind of event. */
#ifndef STORMCELL_LOCAL_REPORT_H
#define STORMCELL_LOCAL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"

struct engine;
struct task;
struct said;

struct report {
    struct buffer lines; /* not written yet */
    int64_t next_stats;
};

/* The kind of end that a process has come to. */
struct death {
    int pid;
    const char *text;
    size_t failed; /* tuples that it had not settled */
    int64_t again; /* ns until it is started again; negative: never */
};

void report_tasks(struct engine *engine);
void report_running(struct engine *engine);
void report_log(const struct task *task, const char *level, struct slice json_text);
void report_error(const struct task *task, struct slice json_text);
void report_metric(const struct task *task, const struct said *said);
void report_death(const struct task *task, const struct death *death);
void report_note(struct engine *engine, const char *text);
void report_emit(const struct task *task, struct slice stream, struct slice values,
                 const struct said *said);
void report_stats(struct engine *engine);
void report_end(struct engine *engine, uint64_t in_flight);

/* Write what has gathered, however long that takes. 0, or -1: nobody reads it any more. */
int report_flush(struct report *report, struct fault *fault);

#endif
