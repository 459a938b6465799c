#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "context.h"
#include "engine.h"
#include "json.h"
#include "said.h"

/* ---- lines --------------------------------------------------------------------------------- */

static struct buffer *
lines(const struct engine *engine)
{
    return (struct buffer *)&engine->report.lines;
}

static void put(struct buffer *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct buffer *line, const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_append(line, (struct slice){text, (size_t)len}, NULL);
}

static struct buffer *
begin(const struct engine *engine, const char *event)
{
    struct buffer *line = lines(engine);
    put(line, "{\"event\":\"%s\",\"at\":%.6f", event,
        (double)(engine->now - engine->started) / 1e9);
    return line;
}

static void
end(struct buffer *line)
{
    buffer_append(line, SLICE("}\n"), NULL);
}

static void
put_key(struct buffer *line, const char *key)
{
    put(line, ",\"%s\":", key);
}

static void
put_text(struct buffer *line, const char *key, const char *text)
{
    put_key(line, key);
    json_write_bytes(line, (struct slice){text, strlen(text)}, NULL);
}

/* A string as a component wrote it, which need not be one that others read. */
static void
put_string(struct buffer *line, const char *key, struct slice json_text)
{
    struct json_reader reader = json_reader(json_text, NULL);
    struct buffer unescaped = {0};
    struct json_value value = {0};
    struct slice text = {"", 0};
    if (json_read(&reader, &value) == 0 && value.type == JSON_TYPE_STRING) {
        text = value.text;
        if (value.escaped && json_unescape(value.text, &unescaped, NULL) == 0) {
            text = (struct slice){unescaped.data, unescaped.len};
        }
    }
    put_key(line, key);
    json_write_bytes(line, text, NULL);
    buffer_deinit(&unescaped);
}

/* Any value of a component's, null where it is none. */
static void
put_value(struct buffer *line, const char *key, struct slice json_text)
{
    json_t *value = json_text.ptr != NULL
                        ? json_loadb(json_text.ptr, json_text.len, JSON_DECODE_ANY, NULL)
                        : NULL;
    char *text = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    put_key(line, key);
    buffer_append(line, text != NULL ? (struct slice){text, strlen(text)} : SLICE("null"), NULL);
    free(text);
    json_decref(value);
}

static struct buffer *
begin_of(const struct task *task, const char *event)
{
    struct buffer *line = begin(task->engine, event);
    put_text(line, "component", task->component->plan->name);
    put(line, ",\"task\":%d", task->id);
    return line;
}

/* ---- events -------------------------------------------------------------------------------- */

void
report_tasks(struct engine *engine)
{
    struct buffer *line = begin(engine, "tasks");
    json_t *names = context_task_names(engine);
    char *text = json_dumps(names, JSON_COMPACT);
    put_key(line, "tasks");
    buffer_append(line, (struct slice){text, strlen(text)}, NULL);
    end(line);
    free(text);
    json_decref(names);
}

void
report_running(struct engine *engine)
{
    end(begin(engine, "running"));
}

void
report_log(const struct task *task, const char *level, struct slice json_text)
{
    struct buffer *line = begin_of(task, "log");
    put_text(line, "level", level);
    put_string(line, "text", json_text);
    end(line);
}

void
report_error(const struct task *task, struct slice json_text)
{
    struct buffer *line = begin_of(task, "error");
    put_string(line, "text", json_text);
    end(line);
}

void
report_metric(const struct task *task, const struct said *said)
{
    struct buffer *line = begin_of(task, "metric");
    put_string(line, "name", said->name.ptr != NULL ? said->name : SLICE("\"\""));
    put_value(line, "value", said->params);
    end(line);
}

void
report_death(const struct task *task, const struct death *death)
{
    struct buffer *line = begin_of(task, "died");
    put(line, ",\"pid\":%d,\"failed\":%zu", death->pid, death->failed);
    put_text(line, "text", death->text);
    if (death->again >= 0) {
        put(line, ",\"again.secs\":%.3f", (double)death->again / 1e9);
    } else {
        put(line, ",\"again.secs\":null");
    }
    end(line);
}

void
report_note(struct engine *engine, const char *text)
{
    struct buffer *line = begin(engine, "note");
    put_text(line, "text", text);
    end(line);
}

void
report_emit(const struct task *task, struct slice stream, struct slice values,
            const struct said *said)
{
    struct buffer *line = begin_of(task, "emit");
    put_string(line, "stream", stream.ptr != NULL ? stream : SLICE("\"default\""));
    put_key(line, "tuple");
    buffer_append(line, values, NULL);
    if (!task->component->plan->spout) {
        put(line, ",\"anchored\":%s",
            said->anchors.ptr != NULL && said->anchors.len > 2 ? "true" : "false");
    } else if (said->id.ptr != NULL) {
        put_value(line, "id", said->id);
    }
    if (said->task != 0) {
        put(line, ",\"direct\":%lld", (long long)said->task);
    }
    end(line);
}

/* ---- totals -------------------------------------------------------------------------------- */

static void
put_latency(struct buffer *line, const struct histogram *latency)
{
    static const struct {
        const char *key;
        double fraction;
    } percentiles[] = {{"p50", 0.5}, {"p99", 0.99}};
    for (size_t i = 0; i < 2; i++) {
        put(line, "%s\"%s\":", i > 0 ? "," : "", percentiles[i].key);
        if (latency->count > 0) {
            put(line, "%.4f", (double)histogram_percentile(latency, percentiles[i].fraction) / 1e6);
        } else {
            put(line, "null");
        }
    }
}

static void
put_component(struct buffer *line, const struct component *component)
{
    const struct totals *totals = &component->totals;
    bool spout = component->plan->spout;
    put(line, "{\"kind\":\"%s\",\"emitted\":%llu", spout ? "spout" : "bolt",
        (unsigned long long)totals->emitted);
    if (spout) {
        put(line, ",\"timed.out\":%llu", (unsigned long long)totals->timed_out);
    } else {
        put(line, ",\"executed\":%llu", (unsigned long long)totals->executed);
    }
    put(line,
        ",\"acked\":%llu,\"failed\":%llu,\"in.flight\":%llu,\"restarts\":%llu,\"errors\":%llu",
        (unsigned long long)totals->acked, (unsigned long long)totals->failed,
        (unsigned long long)totals->in_flight, (unsigned long long)totals->restarts,
        (unsigned long long)totals->errors);
    put(line, ",\"process.ms\":{");
    put_latency(line, &component->latency);
    put(line, "}}");
}

static void
put_components(struct buffer *line, const struct engine *engine)
{
    put_key(line, "components");
    put(line, "{");
    for (size_t i = 0; i < engine->plan->component_count; i++) {
        const struct component *component = &engine->components[i];
        buffer_append(line, i > 0 ? SLICE(",") : SLICE(""), NULL);
        json_write_bytes(line, (struct slice){component->plan->name, strlen(component->plan->name)},
                         NULL);
        put(line, ":");
        put_component(line, component);
    }
    put(line, "}");
}

void
report_stats(struct engine *engine)
{
    struct buffer *line = begin(engine, "stats");
    put_components(line, engine);
    end(line);
    engine->report.next_stats = engine->now + engine->plan->run.report;
}

void
report_end(struct engine *engine, uint64_t in_flight)
{
    struct buffer *line = begin(engine, "end");
    put_text(line, "reason", engine->reason != NULL ? engine->reason : "interrupted");
    put(line, ",\"in.flight\":%llu", (unsigned long long)in_flight);
    put_components(line, engine);
    end(line);
}

int
report_flush(struct report *report, struct fault *fault)
{
    size_t at = 0;
    while (at < report->lines.len) {
        ssize_t n = write(STDOUT_FILENO, report->lines.data + at, report->lines.len - at);
        if (n < 0 && errno != EINTR) {
            report->lines.len = 0;
            return fault_errno(fault, "writing the events");
        }
        at += n > 0 ? (size_t)n : 0;
    }
    report->lines.len = 0;
    return 0;
}
