/* Storm's first message, taken apart once, so that what an emit needs to know is at hand. */
#include "handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

static const char BIG_INTEGERS_KEY[] = "stormcell.big.integers";

/* ---- parsing ---------------------------------------------------------------------------- */

static int
bad(struct fault *fault, const char *what)
{
    return fault_set(fault, FAULT_HANDSHAKE, 0,
                     "the first message is no handshake of Storm's: %s "
                     "(it must be {\"pidDir\": ..., \"conf\": {...}, \"context\": {...}})",
                     what);
}

static int
parse_root(struct handshake *handshake, struct slice text, struct fault *fault)
{
    json_error_t error;
    handshake->root = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, &error);
    if (handshake->root == NULL) {
        char what[JSON_ERROR_TEXT_LENGTH + 60];
        char *quote = strstr(error.text, " near "); /* of a text that may hold a password */
        if (quote != NULL) {
            *quote = '\0';
        }
        snprintf(what, sizeof what, "byte %d is no JSON, %s", error.position, error.text);
        return bad(fault, what);
    }
    if (!json_is_object(handshake->root)) {
        return bad(fault, "it is no object");
    }
    return 0;
}

static int
check_root(struct handshake *handshake, struct fault *fault)
{
    const json_t *pid_dir = json_object_get(handshake->root, "pidDir");
    if (pid_dir == NULL) {
        return bad(fault, "it lacks \"pidDir\"");
    }
    if (!json_is_string(pid_dir) && !json_is_null(pid_dir)) {
        return bad(fault, "\"pidDir\" is no string");
    }
    handshake->pid_dir = json_string_value(pid_dir);
    if (!json_is_object(json_object_get(handshake->root, "conf"))) {
        return bad(fault, "it lacks the object \"conf\"");
    }
    if (!json_is_object(json_object_get(handshake->root, "context"))) {
        return bad(fault, "it lacks the object \"context\"");
    }
    return 0;
}

/* Find the text of conf and context, for those who want it as it was written. */
static int
find_texts(struct handshake *handshake, struct slice text, struct fault *fault)
{
    struct json_reader reader = json_reader(text, fault);
    struct json_value key;
    struct slice value;
    int more = json_read(&reader, &key);
    for (bool first = true; more == 0 && (more = json_member(&reader, first, &key)) > 0;
         first = false) {
        if (json_skip(&reader, &value) < 0) {
            return -1;
        }
        if (slice_equal(key.text, SLICE("conf"))) {
            handshake->conf = value;
        } else if (slice_equal(key.text, SLICE("context"))) {
            handshake->context = value;
        }
        more = 0;
    }
    return more;
}

static void
read_identity(struct handshake *handshake, const json_t *context)
{
    const json_t *task = json_object_get(context, "taskid");
    const char *name = json_string_value(json_object_get(context, "componentid"));
    handshake->task = json_is_integer(task) ? json_integer_value(task) : -1;
    if (name == NULL && handshake->task >= 0) {
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)handshake->task);
        const json_t *components = json_object_get(context, "task->component");
        name = json_string_value(json_object_get(components, key));
    }
    handshake->component = name != NULL ? name : "";
}

static void
read_subscriptions(struct stream *stream, const json_t *targets)
{
    const char *component;
    json_t *grouping;
    json_object_foreach ((json_t *)targets, component, grouping) {
        const char *type = json_string_value(json_object_get(grouping, "type"));
        stream->subscribed = true;
        stream->direct = stream->direct || (type != NULL && strcmp(type, "DIRECT") == 0);
    }
}

static int
read_streams(struct handshake *handshake, const json_t *context, struct fault *fault)
{
    json_t *declared = json_object_get(context, "stream->outputfields");
    const json_t *targets = json_object_get(context, "stream->target->grouping");
    const char *name;
    json_t *fields;
    if (!json_is_object(declared)) {
        return 0;
    }
    handshake->streams_known = true;
    handshake->streams = calloc(json_object_size(declared) + 1, sizeof *handshake->streams);
    if (handshake->streams == NULL) {
        return fault_errno(fault, "no memory for the streams");
    }
    json_object_foreach (declared, name, fields) {
        struct stream *stream = &handshake->streams[handshake->stream_count++];
        *stream = (struct stream){.name = name,
                                  .name_len = strlen(name),
                                  .field_count = json_array_size(fields),
                                  .fields = fields};
        read_subscriptions(stream, json_object_get(targets, name));
    }
    return 0;
}

int
handshake_parse(struct handshake *handshake, struct slice text, struct fault *fault)
{
    *handshake = (struct handshake){.task = -1, .component = ""};
    if (parse_root(handshake, text, fault) < 0 || check_root(handshake, fault) < 0 ||
        find_texts(handshake, text, fault) < 0) {
        return -1;
    }
    const json_t *context = json_object_get(handshake->root, "context");
    read_identity(handshake, context);
    return read_streams(handshake, context, fault);
}

void
handshake_deinit(struct handshake *handshake)
{
    json_decref(handshake->root);
    free(handshake->streams);
    *handshake = (struct handshake){0};
}

/* ---- asking ----------------------------------------------------------------------------- */

const struct stream *
handshake_stream(const struct handshake *handshake, struct slice name)
{
    for (size_t i = 0; i < handshake->stream_count; i++) {
        const struct stream *stream = &handshake->streams[i];
        if (slice_equal((struct slice){stream->name, stream->name_len}, name)) {
            return stream;
        }
    }
    return NULL;
}

/* "word, count", cut with dots where it is long; "none" for an empty list. */
static void
join(char *out, size_t size, const char *name)
{
    size_t len = strlen(out);
    if (len + strlen(name) + 8 > size) {
        if (len >= 3 && strcmp(out + len - 3, "...") != 0) {
            snprintf(out + len, size - len, ", ...");
        }
        return;
    }
    snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", name);
}

static int
unknown_stream(const struct handshake *handshake, struct slice name, struct fault *fault)
{
    char declared[120] = "";
    for (size_t i = 0; i < handshake->stream_count; i++) {
        join(declared, sizeof declared, handshake->streams[i].name);
    }
    int shown = name.len < 60 ? (int)name.len : 60;
    return fault_set(fault, FAULT_STREAM, 0,
                     "component '%s' declares no stream '%.*s' (it declares: %s); "
                     "add it to the component's outputs in the topology",
                     handshake->component, shown, name.ptr, *declared ? declared : "none");
}

static int
wrong_count(const struct handshake *handshake, const struct stream *stream, size_t count,
            struct fault *fault)
{
    char fields[120] = "";
    for (size_t i = 0; i < stream->field_count; i++) {
        join(fields, sizeof fields, json_string_value(json_array_get(stream->fields, i)));
    }
    return fault_set(
        fault, FAULT_STREAM, 0,
        "stream '%s' of component '%s' has %zu field%s (%s), the tuple has %zu value%s",
        stream->name, handshake->component, stream->field_count,
        stream->field_count == 1 ? "" : "s", *fields ? fields : "none", count,
        count == 1 ? "" : "s");
}

/* Does the topology have this task? Where the context lists none, nobody can say. */
static bool
task_exists(const struct handshake *handshake, int64_t task)
{
    const json_t *context = json_object_get(handshake->root, "context");
    const json_t *components = json_object_get(context, "task->component");
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)task);
    return components == NULL || json_object_get(components, key) != NULL;
}

static int
check_direct(const struct handshake *handshake, const struct stream *stream, int64_t task,
             struct fault *fault)
{
    if (task < 0 && stream->direct) {
        return fault_set(fault, FAULT_STREAM, 0,
                         "stream '%s' of component '%s' is subscribed to with a direct grouping: "
                         "emit with direct_task=",
                         stream->name, handshake->component);
    }
    if (task >= 0 && !stream->direct) {
        return fault_set(fault, FAULT_STREAM, 0, "stream '%s' of component '%s' is not direct: %s",
                         stream->name, handshake->component,
                         stream->subscribed
                             ? "its subscribers use another grouping; emit without direct_task"
                             : "nobody subscribes to it with a direct grouping");
    }
    if (task >= 0 && !task_exists(handshake, task)) {
        return fault_set(fault, FAULT_STREAM, 0, "the topology has no task %lld to emit to",
                         (long long)task);
    }
    return 0;
}

int
handshake_check_emit(const struct handshake *handshake, struct slice name, int64_t task,
                     size_t value_count, struct fault *fault)
{
    if (!handshake->streams_known) {
        return 0;
    }
    const struct stream *stream = handshake_stream(handshake, name);
    if (stream == NULL) {
        return unknown_stream(handshake, name, fault);
    }
    if (stream->field_count != value_count) {
        return wrong_count(handshake, stream, value_count, fault);
    }
    if (task < 0 && !stream->direct) {
        return 0; /* what nearly every emit is */
    }
    return check_direct(handshake, stream, task, fault);
}

/* ---- settings --------------------------------------------------------------------------- */

const json_t *
handshake_setting(const struct handshake *handshake, const char *key)
{
    return json_object_get(json_object_get(handshake->root, "conf"), key);
}

int64_t
handshake_conf_int(const struct handshake *handshake, const char *key, int64_t otherwise)
{
    const json_t *value = handshake_setting(handshake, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static bool
is_absent(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

/* Seconds, 0 to about 30 years, as milliseconds. */
static bool
read_seconds(const json_t *value, int64_t *ms)
{
    double seconds = json_number_value(value);
    bool fits = json_is_number(value) && seconds >= 0 && seconds < 1e9;
    if (fits) {
        *ms = (int64_t)(seconds * 1000);
    }
    return fits;
}

static bool
read_count(const json_t *value, int64_t *count)
{
    bool fits = json_is_integer(value) && json_integer_value(value) >= 0;
    if (fits) {
        *count = json_integer_value(value);
    }
    return fits;
}

/* Storm's own rule for the time within which a heartbeat must be answered (ShellBolt.prepare). */
static int64_t
heartbeat_timeout(const struct handshake *handshake)
{
    int64_t ms = ARENA_TIMEOUT_MS;
    if (!read_seconds(handshake_setting(handshake, "topology.subprocess.timeout.secs"), &ms)) {
        read_seconds(handshake_setting(handshake, "supervisor.worker.timeout.secs"), &ms);
    }
    return ms > 0 ? ms : 1000;
}

static int
read_hang_limit(const struct handshake *handshake, struct arena_component *component,
                struct fault *fault)
{
    const json_t *value = handshake_setting(handshake, "stormcell.hang.timeout.secs");
    component->hang_ms = component->timeout_ms * 8 / 10;
    if (is_absent(value) || read_seconds(value, &component->hang_ms)) {
        return 0;
    }
    return fault_set(fault, FAULT_HANDSHAKE, 0,
                     "stormcell.hang.timeout.secs must be a number of seconds, or 0 for no limit; "
                     "the default of %lld ms holds",
                     (long long)component->hang_ms);
}

static int
read_restart(const struct handshake *handshake, struct arena_component *component,
             struct fault *fault)
{
    const json_t *value = handshake_setting(handshake, "stormcell.restart");
    component->restart_max = 5;
    component->restart_within_ms = 60 * 1000;
    if (is_absent(value)) {
        return 0;
    }
    const json_t *max = json_object_get(value, "max");
    const json_t *within = json_object_get(value, "within.secs");
    bool fits = json_is_object(value) &&
                (is_absent(max) || read_count(max, &component->restart_max)) &&
                (is_absent(within) || read_seconds(within, &component->restart_within_ms));
    return fits ? 0
                : fault_set(fault, FAULT_HANDSHAKE, 0,
                            "stormcell.restart must be {\"max\": a whole number, "
                            "\"within.secs\": a number of seconds}; the default "
                            "{\"max\": 5, \"within.secs\": 60} holds for what is wrong in it");
}

bool
handshake_takes_big_integers(const struct handshake *handshake)
{
    return json_is_true(handshake_setting(handshake, BIG_INTEGERS_KEY));
}

static int
check_big_integers(const struct handshake *handshake, struct fault *fault)
{
    const json_t *value = handshake_setting(handshake, BIG_INTEGERS_KEY);
    return is_absent(value) || json_is_boolean(value)
               ? 0
               : fault_set(fault, FAULT_HANDSHAKE, 0,
                           "%s must be true or false; the default of false holds",
                           BIG_INTEGERS_KEY);
}

int
handshake_introduce(const struct handshake *handshake, struct arena *arena, struct fault *fault)
{
    struct arena_component *component = &arena->component;
    snprintf(component->name, sizeof component->name, "%s", handshake->component);
    component->task = handshake->task;
    component->timeout_ms = heartbeat_timeout(handshake);
    int hang = read_hang_limit(handshake, component, fault);
    int restart = read_restart(handshake, component, fault);
    int integers = check_big_integers(handshake, fault);
    component->known = true;
    return hang < 0 || restart < 0 || integers < 0 ? -1 : 0;
}

/* ---- the pid file ----------------------------------------------------------------------- */

static bool
is_regular_file(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* The file is made here or is there from before; a link, a pipe or whatever else somebody laid in its
   place is never opened. */
int
handshake_touch_pid_file(const struct handshake *handshake, int64_t pid, struct fault *fault)
{
    char path[PATH_MAX];
    if (handshake->pid_dir == NULL) {
        return 0;
    }
    int len = snprintf(path, sizeof path, "%s/%lld", handshake->pid_dir, (long long)pid);
    if (len >= (int)sizeof path) {
        return fault_set(fault, FAULT_HANDSHAKE, 0, "\"pidDir\" is longer than a path may be");
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int error = errno;
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    return error == ENOENT || (error == EEXIST && is_regular_file(path))
               ? 0
               : fault_set(fault, FAULT_SYSTEM, 0, "cannot create the pid file %s: %s", path,
                           strerror(error));
}
