/* What a component can say: emit, ack, fail, log. These are the methods that user code calls, bound
   to the process's one session; everything cold about components is Python (the package stormcell). */
#include "pyapi.h"

/* ---- what all of them do ---------------------------------------------------------------- */

/* After something was said: Storm hears of it soon, also from a thread of the component's own, and
   a component that says more than Storm takes waits. 0, or -1 with an exception. */
static int
wait_for_room(struct module_state *state)
{
    struct session *session = state->session;
    session_wake(session);
    while (session_congested(session)) {
        int result = PyThread_get_thread_ident() == state->thread ? wait_for_storm(state, 100)
                                                                  : wait_beside(state);
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *
component_said(struct module_state *state, int result)
{
    if (result < 0) {
        return raise_fault(state, &state->fault);
    }
    if (wait_for_room(state) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* str(object) as UTF-8, whatever is in it. The reference that backs it is put into *backing. */
static int
text_of(PyObject *object, PyObject **backing, struct slice *text)
{
    PyObject *string = PyObject_Str(object);
    if (string == NULL) {
        return -1;
    }
    Py_ssize_t len;
    char *bytes;
    *backing = PyUnicode_AsEncodedString(string, "utf-8", "replace");
    Py_DECREF(string);
    if (*backing == NULL || PyBytes_AsStringAndSize(*backing, &bytes, &len) < 0) {
        return -1;
    }
    *text = (struct slice){bytes, (size_t)len};
    return 0;
}

/* ---- emit ------------------------------------------------------------------------------- */

/* The text of a str argument (borrowed from it). 0, or -1 with TypeError. */
static int
read_text(PyObject *argument, const char *name, struct slice *text)
{
    Py_ssize_t len;
    if (!PyUnicode_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str, not a %s", name, type_name(argument));
        return -1;
    }
    text->ptr = PyUnicode_AsUTF8AndSize(argument, &len);
    text->len = (size_t)len;
    return text->ptr != NULL ? 0 : -1;
}

static int
read_task(PyObject *argument, int64_t *task)
{
    int overflow;
    if (!PyLong_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "direct_task must be an int, not a %s", type_name(argument));
        return -1;
    }
    *task = PyLong_AsLongLongAndOverflow(argument, &overflow);
    if (overflow != 0 || *task < 0 || *task > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "direct_task must be the number of a task");
        return -1;
    }
    return 0;
}

int
component_read_emit(const struct emit_arguments *arguments, struct emit *emit)
{
    if (!PyList_Check(arguments->values) && !PyTuple_Check(arguments->values)) {
        PyErr_Format(PyExc_TypeError, "a tuple to emit must be a list or tuple of values, not a %s",
                     type_name(arguments->values));
        return -1;
    }
    if (argument_given(arguments->stream) &&
        read_text(arguments->stream, "stream", &emit->stream) < 0) {
        return -1;
    }
    if (argument_given(arguments->task) && read_task(arguments->task, &emit->task) < 0) {
        return -1;
    }
    int need = arguments->need_task_ids != NULL ? PyObject_IsTrue(arguments->need_task_ids) : 0;
    emit->need_task_ids = need > 0;
    return need < 0 ? -1 : 0;
}

/* Write the whole message. 0, or -1 with an exception and nothing of it written. */
static int
write_emit(struct module_state *state, const struct emit *emit, PyObject *values)
{
    size_t count = (size_t)Py_SIZE(values);
    struct buffer *out = session_begin_emit(state->session, emit, count, state_fault(state));
    if (out == NULL) {
        raise_fault(state, &state->fault);
        return -1;
    }
    if (encode_values(out, values, session_topology(state->session)) < 0) {
        session_drop_emit(state->session);
        return -1;
    }
    if (session_end_emit(state->session, state_fault(state)) < 0) {
        raise_fault(state, &state->fault);
        return -1;
    }
    return 0;
}

PyObject *
component_emit(struct module_state *state, struct emit *emit, PyObject *values)
{
    bool wants_ids = emit->need_task_ids;
    if (wants_ids && PyThread_get_thread_ident() != state->thread) {
        PyErr_SetString(PyExc_RuntimeError,
                        "need_task_ids=True works only in the thread that Storm's calls come in");
        return NULL;
    }
    if (emit->task >= 0) {
        emit->need_task_ids = false; /* Storm answers no direct emit: the task is known */
    }
    if (write_emit(state, emit, values) < 0 || wait_for_room(state) < 0) {
        return NULL;
    }
    if (!wants_ids) {
        Py_RETURN_NONE;
    }
    return emit->task >= 0 ? Py_BuildValue("[L]", (long long)emit->task) : wait_for_task_ids(state);
}

/* ---- Component -------------------------------------------------------------------------- */

PyDoc_STRVAR(
    log_doc,
    "log($self, /, message, level=None)\n--\n\n"
    "Write `message` (str() of it) to Storm's log.\n\n"
    "level: 'trace', 'debug', 'info' (the default), 'warn', 'warning', 'error' or 'critical'.");

/* The level of that name in any case; INFO for none and for what is not known, as pystorm has it. */
static enum message_level
level_named(PyObject *name)
{
    static const struct {
        const char *name;
        enum message_level level;
    } levels[] = {{"trace", LEVEL_TRACE},   {"debug", LEVEL_DEBUG},  {"info", LEVEL_INFO},
                  {"warn", LEVEL_WARN},     {"warning", LEVEL_WARN}, {"error", LEVEL_ERROR},
                  {"critical", LEVEL_ERROR}};
    const char *text =
        name != NULL && PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    PyErr_Clear();
    for (size_t i = 0; text != NULL && i < sizeof levels / sizeof levels[0]; i++) {
        if (strcasecmp(text, levels[i].name) == 0) {
            return levels[i].level;
        }
    }
    return LEVEL_INFO;
}

static PyObject *
component_log(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"log", 2, 1, {"message", "level"}};
    struct module_state *state = component_state(self);
    PyObject *given_args[2];
    PyObject *backing = NULL;
    struct slice text;
    if (args_unpack(&parameters, args, nargs, names, given_args) < 0 ||
        module_session(state) == NULL || text_of(given_args[0], &backing, &text) < 0) {
        return NULL;
    }
    int result = session_log(state->session, level_named(given_args[1]), text, state_fault(state));
    Py_DECREF(backing);
    return component_said(state, result);
}

PyDoc_STRVAR(report_error_doc,
             "report_error($self, text, /)\n--\n\n"
             "Show `text` as an error of this component in Storm's UI and log. Settles no tuple.");

static PyObject *
component_report_error(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"report_error", 1, 1, {"text"}};
    struct module_state *state = component_state(self);
    PyObject *message;
    PyObject *backing = NULL;
    struct slice text;
    if (args_unpack(&parameters, args, nargs, names, &message) < 0 ||
        module_session(state) == NULL || text_of(message, &backing, &text) < 0) {
        return NULL;
    }
    int result = session_error(state->session, text, state_fault(state));
    Py_DECREF(backing);
    return component_said(state, result);
}

PyDoc_STRVAR(
    report_metric_doc,
    "report_metric($self, /, name, value)\n--\n\n"
    "Update the metric `name` (str), which Java code has to have registered for this component:\n"
    "Storm ends the worker over a name that it does not know. `value` is any JSON value.");

static PyObject *
component_report_metric(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"report_metric", 2, 2, {"name", "value"}};
    struct module_state *state = component_state(self);
    PyObject *given_args[2];
    struct slice name;
    if (args_unpack(&parameters, args, nargs, names, given_args) < 0 ||
        module_session(state) == NULL) {
        return NULL;
    }
    state->text.len = 0;
    if (read_text(given_args[0], "name", &name) < 0 ||
        encode_value(&state->text, given_args[1], "value", session_topology(state->session)) < 0) {
        return NULL;
    }
    struct slice params = {state->text.data, state->text.len};
    int result = session_metric(state->session, name, params, state_fault(state));
    return component_said(state, result);
}

static PyMethodDef component_methods[] = {
    {"log", (PyCFunction)(void (*)(void))component_log, METH_FASTCALL | METH_KEYWORDS, log_doc},
    {"report_error", (PyCFunction)(void (*)(void))component_report_error,
     METH_FASTCALL | METH_KEYWORDS, report_error_doc},
    {"report_metric", (PyCFunction)(void (*)(void))component_report_metric,
     METH_FASTCALL | METH_KEYWORDS, report_metric_doc},
    {NULL, NULL, 0, NULL},
};

PyObject *
component_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *nothing = PyTuple_New(0); /* the arguments are for __init__ */
    /* object's own way also lays out the attributes so that the interpreter reads them fast */
    PyObject *self = nothing != NULL ? type_new(type, &PyBaseObject_Type, nothing) : NULL;
    (void)args;
    (void)kwargs;
    Py_XDECREF(nothing);
    if (self != NULL) {
        ((ComponentObject *)self)->state = state_of_type(type);
    }
    return self;
}

int
component_traverse(ComponentObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->current);
    Py_VISIT(self->loopback);
    return 0;
}

int
component_clear(ComponentObject *self)
{
    Py_CLEAR(self->current);
    return 0; /* `state` is needed to the last: the cycle through `loopback` is broken there */
}

void
component_dealloc(ComponentObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->current);
    Py_CLEAR(self->loopback);
    type_free(self);
}

static PyType_Slot component_slots[] = {
    {Py_tp_doc, "What spouts and bolts have in common."},
    {Py_tp_new, component_new},
    {Py_tp_methods, component_methods},
    {Py_tp_traverse, component_traverse},
    {Py_tp_clear, component_clear},
    {Py_tp_dealloc, component_dealloc},
    {0, NULL},
};

static PyType_Spec component_spec = {
    .name = "_stormcell.Component",
    .basicsize = sizeof(ComponentObject),
    .flags = COMPONENT_FLAGS,
    .slots = component_slots,
};

PyTypeObject *
component_type_new(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &component_spec, NULL);
}
