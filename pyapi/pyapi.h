/* What the files of the extension module share. */
#ifndef STORMCELL_PYAPI_H
#define STORMCELL_PYAPI_H

#include "limited.h"
#include "session.h"

/* Where tuples of one (component, stream) come from: looked up by the text on the wire. */
struct source {
    struct buffer component_text;
    struct buffer stream_text;
    PyObject *component;       /* str */
    PyObject *stream;          /* str */
    PyTypeObject *values_type; /* a named tuple's class, or NULL for plain tuples */
    Py_ssize_t field_count;    /* of that class */
    bool tick;
};

enum { STRING_SHORT_MAX = 16, STRING_CACHE_SIZE = 1024 };

/* The bytes of a string, for where it costs a call to ask it for them. */
struct string_bytes {
    uint64_t first;
    uint64_t last;
    size_t len;
};

/* Short strings that have been seen twice, by the hash of their bytes. */
struct string_cache {
    PyObject *strings[STRING_CACHE_SIZE];
#ifdef Py_LIMITED_API
    struct string_bytes bytes[STRING_CACHE_SIZE];
#endif
    uint16_t seen[STRING_CACHE_SIZE]; /* a part of the hash of what was missed last in each place */
};

struct module_state {
    struct session *session; /* NULL outside of the shim */
    PyObject *loopback;      /* the Loopback that this is the state of (borrowed), or NULL */
    unsigned long thread;    /* the one that serves */
    PyTypeObject *component_type;
    PyTypeObject *bolt_type;
    PyTypeObject *spout_type;
    PyTypeObject *tuple_type;
    PyObject *went_away; /* StormWentAwayError */
    PyObject
        *values_type_of; /* callable (component, stream) -> class or None; NULL until serving */
    PyObject *acked;     /* list: ids whose ack() is due, where Storm has no ackers; else NULL */
    struct tuple_object *spare; /* a Tuple that nobody kept, emptied, for the next message */
    struct source *sources;
    size_t source_count;
    size_t last_source;
    struct string_cache strings;
    struct fault fault;    /* of the call that is under way */
    struct buffer text;    /* of a string or number while it is converted */
    struct buffer anchors; /* JSON, while an emit is written */
    struct buffer id;
};

static inline struct module_state *
state_of_module(PyObject *module)
{
    return PyModule_GetState(module);
}

/* ---- module.c --------------------------------------------------------------------------- */

/* The state behind a type of this module or one derived from it (borrowed from the type). */
struct module_state *state_of_type(PyTypeObject *type);

/* What a state holds beyond the types of its module: for whoever owns it. The session goes last, when
   nothing of Python's can use it any more. */
int state_traverse(struct module_state *state, visitproc visit, void *arg);
void state_clear(struct module_state *state);
void state_deinit(struct module_state *state);

/* ---- raise.c ----------------------------------------------------------------------------- */

/* The session, or NULL with RuntimeError where there is no Storm on the other side. */
struct session *module_session(struct module_state *state);

/* Set the Python exception that a fault stands for. Returns NULL. */
PyObject *raise_fault(struct module_state *state, const struct fault *fault);

/* The state's fault, cleared; for functions that run for each tuple. */
static inline struct fault *
state_fault(struct module_state *state)
{
    return fault_clear(&state->fault);
}

/* ---- args.c ----------------------------------------------------------------------------- */

/* The parameters of a METH_FASTCALL | METH_KEYWORDS function, in order. */
struct parameters {
    const char *function;
    int count;
    int required;
    const char *names[6];
};

/* Sort arguments into `out` (borrowed; NULL where not given). 0, or -1 with TypeError. */
int args_unpack(const struct parameters *parameters, PyObject *const *args, Py_ssize_t nargs,
                PyObject *names, PyObject **out);

/* ---- convert.c -------------------------------------------------------------------------- */

/* JSON text to Python: new reference, or NULL with an exception. */
PyObject *convert_json(struct module_state *state, struct slice text);

/* A tuple's values to a tuple, named where the source's fields are known: new, or NULL. */
PyObject *convert_values(struct module_state *state, struct slice text,
                         const struct source *source);

/* The same into an instance of the source's class that nobody else knows (borrowed), in place of what is
   in it. 0, or -1 with an exception. */
int convert_values_into(struct module_state *state, struct slice text, PyObject *values);

/* ---- strings.c -------------------------------------------------------------------------- */

/* An ASCII text as a str: new, or NULL. */
PyObject *string_ascii(struct module_state *state, struct slice text);
void strings_clear(struct module_state *state);

/* ---- sources.c -------------------------------------------------------------------------- */

/* Where a tuple comes from (borrowed until the next call), or NULL with an exception. */
const struct source *source_of(struct module_state *state, const struct message *message);
void sources_clear(struct module_state *state);

/* ---- encode.c --------------------------------------------------------------------------- */

/* Append the values of a list or tuple as JSON, separated by commas, for the Storm whose handshake this
   is; NULL: whatever any takes. No Python code runs in it. 0, or -1 with an exception that names the path
   of the value. */
int encode_values(struct buffer *out, PyObject *values, const struct handshake *reader);

/* The same for one value; `name` stands for it in an error. */
int encode_value(struct buffer *out, PyObject *value, const char *name,
                 const struct handshake *reader);

/* ---- tuple.c ---------------------------------------------------------------------------- */

/* A tuple that Storm sent. */
typedef struct tuple_object {
    PyObject ob_base;
    int64_t number; /* of the id (struct tuple_id) */
    bool numbered;  /* its text is in `quoted`, as JSON */
    unsigned char digit_count;
    char quoted[1 + TUPLE_ID_DIGITS + 1];
    PyObject *id;        /* str; NULL while nobody asked for the id of a numbered one */
    PyObject *component; /* str */
    PyObject *stream;    /* str */
    int64_t task;
    PyObject *values;
} TupleObject;

PyTypeObject *tuple_type_new(PyObject *module);

/* The Tuple for a message (new), or NULL with an exception. *id is its id (text borrowed from it). */
PyObject *tuple_from_message(struct module_state *state, const struct message *message,
                             const struct source *source, struct tuple_id id);

/* Let go of a Tuple that tuple_from_message() made (steals it). Where nobody else kept it or its
   values, it is emptied and becomes the next one: a fifth of the instructions of a tuple. */
void tuple_retire(struct module_state *state, PyObject *tuple);

/* The id of a Tuple, or of a str; borrowed. 0, or -1 with TypeError. */
int tuple_id_of(struct module_state *state, PyObject *object, struct tuple_id *id);

/* ---- wait.c ----------------------------------------------------------------------------- */

/* Flush and wait once, with the GIL released, at most `timeout_ms` (-1: for ever). 0, or -1 with an
   exception: StormWentAwayError, or that of a Python signal handler. */
int wait_for_storm(struct module_state *state, int timeout_ms);

/* The same for a thread other than the one that Storm's calls come in: it must not read, and the
   other one may wait for it. Flushes and sleeps a moment. 0, or -1 with an exception. */
int wait_beside(struct module_state *state);

/* Raise what ends a wait for something that will not come any more. Returns NULL. */
PyObject *wait_ended(struct module_state *state);

/* Wait for the task ids of the last emit: a new list of int, or NULL. */
PyObject *wait_for_task_ids(struct module_state *state);

/* ---- component.c ------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD struct module_state *state; /* that of the types, which keep it alive */
    PyObject
        *current; /* what an emit is anchored to by default: a Tuple, a list of them, or NULL */
    bool auto_anchor;
    PyObject
        *loopback; /* where `state` is that of a Loopback: it, which keeps it alive; else NULL */
} ComponentObject;

PyTypeObject *component_type_new(PyObject *module);

static inline struct module_state *
component_state(PyObject *self)
{
    return ((ComponentObject *)self)->state;
}

/* The slots that every type derived from Component needs. */
PyObject *component_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
int component_traverse(ComponentObject *self, visitproc visit, void *arg);
int component_clear(ComponentObject *self);
void component_dealloc(ComponentObject *self);

enum { COMPONENT_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE };

/* What a method of a component returns after it said something: None, or NULL with the exception
   for the state's fault if `result` is negative. Waits where Storm takes less than is said. */
PyObject *component_said(struct module_state *state, int result);

/* The arguments of one emit, of a bolt or of a spout. All borrowed; NULL: not given. */
struct emit_arguments {
    PyObject *values;
    PyObject *stream;
    PyObject *task;
    PyObject *need_task_ids;
};

/* Read them into `emit`, which borrows from them. 0, or -1 with an exception. */
int component_read_emit(const struct emit_arguments *arguments, struct emit *emit);

/* Emit. What emit() returns: None, or a new list of the ids of the tasks that got the tuple. */
PyObject *component_emit(struct module_state *state, struct emit *emit, PyObject *values);

static inline bool
argument_given(PyObject *argument)
{
    return argument != NULL && argument != Py_None;
}

/* ---- bolt.c, spout.c -------------------------------------------------------------------- */

PyTypeObject *bolt_type_new(PyObject *module, PyTypeObject *base);
PyTypeObject *spout_type_new(PyObject *module, PyTypeObject *base);

/* ---- run.c ------------------------------------------------------------------------------ */

/* A component at work. Its methods are looked up once; NULL where it has none of its own. All borrowed
   from the arguments of the function that serves it. */
struct runner {
    struct module_state *state;
    ComponentObject *component;
    int (*handle)(struct runner *, const struct message *);
    PyObject *on_exception;
    bool exiting; /* the component asked to end after an exception */
    bool auto_ack;
    PyObject *process; /* a bolt's */
    PyObject *process_tick;
    PyObject *ack;
    PyObject *on_timer;
    int64_t period_ns; /* of the timer, 0: none */
    int64_t next_ns;
    PyObject *commands[MESSAGE_DEACTIVATE + 1]; /* a spout's, by kind of message */
};

/* Work until Storm goes. True: the end was Storm's or the component's wish, and came in order. False:
   an exception. NULL with an exception that is not for us. */
PyObject *run_loop(struct runner *runner);

/* What is due when the timer's time has come. 0 or -1. */
int run_on_timer(struct runner *runner);

/* Wait for the handshake and take it in: new (conf, context), or NULL. */
PyObject *run_take_handshake(struct module_state *state);

/* The module's functions of the life of a component; see their docstrings. */
PyObject *run_handshake(PyObject *module, PyObject *unused);
PyObject *run_answer(PyObject *module, PyObject *unused);
PyObject *run_serve_bolt(PyObject *module, PyObject *args);
PyObject *run_serve_spout(PyObject *module, PyObject *args);

/* ---- loopback.c ------------------------------------------------------------------------- */

PyTypeObject *loopback_type_new(PyObject *module);

/* Keep a runner, with the arguments that it borrows from, to be run step by step. What serving a component
   returns: new. */
PyObject *loopback_keep(PyObject *self, const struct runner *runner, PyObject *arguments);

/* Have the task ids of the last emit fed. 0 or -1. */
int loopback_ask_task_ids(PyObject *self);

#endif
