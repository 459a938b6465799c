/* Storm's first message: {"pidDir": ..., "conf": {...}, "context": {...}} (JsonSerializer.connect).
   Parsed by jansson, since it comes once; what every emit must know is made ready here. */
#ifndef STORMCELL_HANDSHAKE_H
#define STORMCELL_HANDSHAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "fault.h"

/* A stream that this component declares. */
struct stream {
    const char *name; /* borrowed from the handshake */
    size_t name_len;
    size_t field_count;
    const json_t *fields; /* their names; borrowed */
    bool direct;          /* somebody subscribes to it with a direct grouping */
    bool subscribed;      /* somebody subscribes to it at all */
};

struct handshake {
    struct slice conf; /* JSON objects, as written; borrowed from the message */
    struct slice context;
    json_t *root;          /* the same, parsed */
    const char *pid_dir;   /* NULL where Storm names none */
    const char *component; /* "" where the context does not tell */
    int64_t task;          /* -1 where the context does not tell */
    bool streams_known;    /* the context lists this component's streams */
    struct stream *streams;
    size_t stream_count;
};

/* Parse and check; borrows `text` for as long as it lives. 0, or -1 with FAULT_HANDSHAKE that says what
   is wrong with the message. */
int handshake_parse(struct handshake *handshake, struct slice text, struct fault *fault);
void handshake_deinit(struct handshake *handshake);

/* The stream of that name (borrowed), or NULL. */
const struct stream *handshake_stream(const struct handshake *handshake, struct slice name);

/* Would Storm take this emit? `task` is -1 where it is not direct. 0, or -1 with FAULT_STREAM.
   What Storm does otherwise: Task.getOutgoingTasks throws and the worker ends. */
int handshake_check_emit(const struct handshake *handshake, struct slice stream, int64_t task,
                         size_t value_count, struct fault *fault);

/* Note in the arena what the guardian must know: who the component is, and its settings. 0, or -1 with
   FAULT_HANDSHAKE: a setting is wrong; what holds then is the default, and the fault says so. */
int handshake_introduce(const struct handshake *handshake, struct arena *arena,
                        struct fault *fault);

/* Leave the empty file <pidDir>/<pid> that tells the supervisor whom to kill. A directory that is
   gone is no fault: the worker is being removed. 0 or -1. */
int handshake_touch_pid_file(const struct handshake *handshake, int64_t pid, struct fault *fault);

/* What the conf has for a key (borrowed), or NULL. */
const json_t *handshake_setting(const struct handshake *handshake, const char *key);

/* May the component emit integers of more than 64 bits ("stormcell.big.integers")? Storm takes them from
   2.6 on (json-smart); before, its worker dies of one. */
bool handshake_takes_big_integers(const struct handshake *handshake);

/* A whole number from the conf, or `otherwise` where there is none. */
int64_t handshake_conf_int(const struct handshake *handshake, const char *key, int64_t otherwise);

#endif
