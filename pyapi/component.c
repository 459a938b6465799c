/* What a component can say: emit, ack, fail, log. These are the methods that user code calls, bound
   to the process's one session; everything cold about components is Python (the package stormcell). */
#include "module.h"

#include <structmember.h>

/* ---- what all of them do ---------------------------------------------------------------- */

struct session *
module_session(struct module_state *state)
{
    if (state->session == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "there is no Storm on the other side: this works in a component that "
                        "stormcell-shim runs");
    }
    return state->session;
}

/* After something was said: Storm hears of it soon, also from a thread of the component's own, and
   a component that says more than Storm takes waits. 0, or -1 with an exception. */
static int
said(struct module_state *state)
{
    struct session *session = state->session;
    session_wake(session);
    while (session_congested(session)) {
        if (PyThread_get_thread_ident() == state->thread) {
            if (run_wait(state, 100) < 0) {
                return -1;
            }
        } else {
            Py_BEGIN_ALLOW_THREADS
            run_pause();
            Py_END_ALLOW_THREADS
        }
    }
    return 0;
}

static PyObject *
finish(struct module_state *state, int result, const struct fault *fault)
{
    if (result < 0) {
        return raise_fault(state, fault);
    }
    if (said(state) < 0) {
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

/* The arguments of one emit, of a bolt or of a spout. All borrowed; NULL: not given. */
struct request {
    PyObject *values;
    PyObject *tup_id;
    PyObject *stream;
    PyObject *task;
    PyObject *need_task_ids;
};

static bool
given(PyObject *argument)
{
    return argument != NULL && argument != Py_None;
}

static int
read_request(const struct request *request, struct emit *emit)
{
    Py_ssize_t len;
    if (!PyList_Check(request->values) && !PyTuple_Check(request->values)) {
        PyErr_Format(PyExc_TypeError,
                     "a tuple to emit must be a list or tuple of values, not a %s (%R)",
                     Py_TYPE(request->values)->tp_name, request->values);
        return -1;
    }
    if (given(request->stream)) {
        emit->stream.ptr = PyUnicode_AsUTF8AndSize(request->stream, &len);
        if (emit->stream.ptr == NULL) {
            return -1;
        }
        emit->stream.len = (size_t)len;
    }
    if (given(request->task)) {
        emit->task = PyLong_AsLongLong(request->task);
        if (emit->task < 0) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "direct_task must be the number of a task");
            }
            return -1;
        }
    }
    int need = request->need_task_ids != NULL ? PyObject_IsTrue(request->need_task_ids) : 0;
    emit->need_task_ids = need > 0;
    return need < 0 ? -1 : 0;
}

/* Write the whole message. 0, or -1 with an exception and nothing of it written. */
static int
write_emit(struct module_state *state, const struct emit *emit, PyObject *values)
{
    struct fault fault = {0};
    size_t count = (size_t)Py_SIZE(values);
    struct buffer *out = session_begin_emit(state->session, emit, count, &fault);
    if (out == NULL) {
        raise_fault(state, &fault);
        return -1;
    }
    if (encode_values(out, values) < 0) {
        session_drop_emit(state->session);
        return -1;
    }
    if (session_end_emit(state->session, &fault) < 0) {
        raise_fault(state, &fault);
        return -1;
    }
    return 0;
}

/* What emit() returns: None, or the ids of the tasks that got the tuple if they were asked for. */
static PyObject *
perform(struct module_state *state, struct emit *emit, const struct request *request)
{
    if (emit->need_task_ids && PyThread_get_thread_ident() != state->thread) {
        PyErr_SetString(PyExc_RuntimeError,
                        "need_task_ids=True works only in the thread that Storm's calls come in");
        return NULL;
    }
    bool wants_ids = emit->need_task_ids;
    if (emit->task >= 0) {
        emit->need_task_ids = false; /* Storm answers no direct emit: the task is known */
    }
    if (write_emit(state, emit, request->values) < 0 || said(state) < 0) {
        return NULL;
    }
    if (!wants_ids) {
        Py_RETURN_NONE;
    }
    return emit->task >= 0 ? Py_BuildValue("[L]", (long long)emit->task) : run_task_ids(state);
}

/* ---- Component -------------------------------------------------------------------------- */

PyDoc_STRVAR(log_doc,
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
    } levels[] = {{"trace", LEVEL_TRACE}, {"debug", LEVEL_DEBUG},   {"info", LEVEL_INFO},
                  {"warn", LEVEL_WARN},   {"warning", LEVEL_WARN},  {"error", LEVEL_ERROR},
                  {"critical", LEVEL_ERROR}};
    const char *text = name != NULL && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    PyErr_Clear();
    for (size_t i = 0; text != NULL && i < sizeof levels / sizeof levels[0]; i++) {
        if (strcasecmp(text, levels[i].name) == 0) {
            return levels[i].level;
        }
    }
    return LEVEL_INFO;
}

static PyObject *
component_log(PyObject *self, PyTypeObject *class, PyObject *const *args, Py_ssize_t nargs,
              PyObject *names)
{
    static const struct parameters parameters = {"log", 2, 1, {"message", "level"}};
    struct module_state *state = PyType_GetModuleState(class);
    struct fault fault = {0};
    PyObject *given_args[2];
    PyObject *backing = NULL;
    struct slice text;
    (void)self;
    if (args_unpack(&parameters, args, nargs, names, given_args) < 0 ||
        module_session(state) == NULL || text_of(given_args[0], &backing, &text) < 0) {
        return NULL;
    }
    int result = session_log(state->session, level_named(given_args[1]), text, &fault);
    Py_DECREF(backing);
    return finish(state, result, &fault);
}

PyDoc_STRVAR(report_error_doc,
"report_error($self, text, /)\n--\n\n"
"Show `text` as an error of this component in Storm's UI and log. Settles no tuple.");

static PyObject *
component_report_error(PyObject *self, PyTypeObject *class, PyObject *const *args,
                       Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"report_error", 1, 1, {"text"}};
    struct module_state *state = PyType_GetModuleState(class);
    struct fault fault = {0};
    PyObject *message;
    PyObject *backing = NULL;
    struct slice text;
    (void)self;
    if (args_unpack(&parameters, args, nargs, names, &message) < 0 ||
        module_session(state) == NULL || text_of(message, &backing, &text) < 0) {
        return NULL;
    }
    int result = session_error(state->session, text, &fault);
    Py_DECREF(backing);
    return finish(state, result, &fault);
}

PyDoc_STRVAR(report_metric_doc,
"report_metric($self, /, name, value)\n--\n\n"
"Update the metric `name` (str), which Java code has to have registered for this component:\n"
"Storm ends the worker over a name that it does not know. `value` is any JSON value.");

static PyObject *
component_report_metric(PyObject *self, PyTypeObject *class, PyObject *const *args,
                        Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"report_metric", 2, 2, {"name", "value"}};
    struct module_state *state = PyType_GetModuleState(class);
    struct fault fault = {0};
    PyObject *given_args[2];
    Py_ssize_t len;
    (void)self;
    if (args_unpack(&parameters, args, nargs, names, given_args) < 0 ||
        module_session(state) == NULL) {
        return NULL;
    }
    const char *name = PyUnicode_AsUTF8AndSize(given_args[0], &len);
    state->text.len = 0;
    if (name == NULL || encode_value(&state->text, given_args[1], "value") < 0) {
        return NULL;
    }
    struct slice params = {state->text.data, state->text.len};
    return finish(state,
                  session_metric(state->session, (struct slice){name, (size_t)len}, params, &fault),
                  &fault);
}

static PyMethodDef component_methods[] = {
    {"log", (PyCFunction)(void (*)(void))component_log,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS, log_doc},
    {"report_error", (PyCFunction)(void (*)(void))component_report_error,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS, report_error_doc},
    {"report_metric", (PyCFunction)(void (*)(void))component_report_metric,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS, report_metric_doc},
    {NULL, NULL, 0, NULL},
};

static int
component_traverse(ComponentObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->current);
    return 0;
}

static int
component_clear(ComponentObject *self)
{
    Py_CLEAR(self->current);
    return 0;
}

static void
component_dealloc(ComponentObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->current);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot component_slots[] = {
    {Py_tp_doc, "What spouts and bolts have in common."},
    {Py_tp_methods, component_methods},
    {Py_tp_traverse, component_traverse},
    {Py_tp_clear, component_clear},
    {Py_tp_dealloc, component_dealloc},
    {0, NULL},
};

enum { TYPE_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE };

static PyType_Spec component_spec = {
    .name = "_stormcell.Component",
    .basicsize = sizeof(ComponentObject),
    .flags = TYPE_FLAGS,
    .slots = component_slots,
};

PyTypeObject *
component_type_new(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &component_spec, NULL);
}

/* ---- Bolt ------------------------------------------------------------------------------- */

PyDoc_STRVAR(bolt_emit_doc,
"emit($self, /, tup, stream=None, anchors=None, direct_task=None, need_task_ids=False)\n--\n\n"
"Emit a tuple.\n\n"
"tup: list or tuple of JSON values, one for each field of the stream; stream: str, default\n"
"'default'; anchors: Tuples (or ids, str) that the new tuple is a consequence of, by default the\n"
"tuple in hand if auto_anchor is on; direct_task: the int id of the task that gets it, on a direct\n"
"stream; need_task_ids: wait for the ids of the tasks that get it and return them as a list of int\n"
"(slow: a round trip to Storm). Returns None otherwise.\n\n"
"TypeError, ValueError or OverflowError name the value that Storm could not take, or the stream;\n"
"nothing has been emitted then.");

static int
add_anchor(struct module_state *state, PyObject *anchor)
{
    struct fault fault = {0};
    struct tuple_id id;
    char digits[TUPLE_ID_DIGITS];
    if (tuple_id_of(state, anchor, &id) < 0) {
        return -1;
    }
    if (!session_is_live(state->session, id)) {
        PyErr_Format(PyExc_ValueError,
                     "cannot anchor to %R: it was acked or failed before (emit first, then ack)",
                     anchor);
        return -1;
    }
    if ((state->anchors.len > 0 && buffer_append(&state->anchors, SLICE(","), &fault) < 0) ||
        json_write_string(&state->anchors, tuple_id_text(id, digits), &fault) < 0) {
        raise_fault(state, &fault);
        return -1;
    }
    return 0;
}

static int
add_anchors(struct module_state *state, PyObject *anchors)
{
    PyObject *items = PySequence_Fast(anchors, "anchors must be a list of Tuples");
    int result = items != NULL ? 0 : -1;
    for (Py_ssize_t i = 0; result == 0 && i < PySequence_Fast_GET_SIZE(items); i++) {
        result = add_anchor(state, PySequence_Fast_GET_ITEM(items, i));
    }
    Py_XDECREF(items);
    return result;
}

/* Write what the tuple is anchored to into state->anchors. */
static int
read_anchors(struct module_state *state, const ComponentObject *self, PyObject *anchors,
             struct emit *emit)
{
    int result = 0;
    state->anchors.len = 0;
    if (given(anchors)) {
        result = Py_IS_TYPE(anchors, state->tuple_type) || PyUnicode_Check(anchors)
                     ? add_anchor(state, anchors)
                     : add_anchors(state, anchors);
    } else if (self->auto_anchor && self->current != NULL) {
        result = Py_IS_TYPE(self->current, state->tuple_type) ? add_anchor(state, self->current)
                                                              : add_anchors(state, self->current);
    }
    if (state->anchors.len > 0) {
        emit->anchors = (struct slice){state->anchors.data, state->anchors.len};
    }
    return result;
}

static PyObject *
bolt_emit(PyObject *self, PyTypeObject *class, PyObject *const *args, Py_ssize_t nargs,
          PyObject *names)
{
    static const struct parameters parameters = {
        "emit", 5, 1, {"tup", "stream", "anchors", "direct_task", "need_task_ids"}};
    struct module_state *state = PyType_GetModuleState(class);
    struct emit emit = {.task = -1};
    PyObject *a[5];
    if (args_unpack(&parameters, args, nargs, names, a) < 0 || module_session(state) == NULL) {
        return NULL;
    }
    struct request request = {.values = a[0], .stream = a[1], .task = a[3], .need_task_ids = a[4]};
    if (read_request(&request, &emit) < 0 ||
        read_anchors(state, (ComponentObject *)self, a[2], &emit) < 0) {
        return NULL;
    }
    return perform(state, &emit, &request);
}

PyDoc_STRVAR(ack_doc, "ack($self, tup, /)\n--\n\n"
                      "Tell Storm that `tup` (a Tuple or its id, str) is done with. ValueError if it\n"
                      "was acked or failed before.");
PyDoc_STRVAR(fail_doc, "fail($self, tup, /)\n--\n\n"
                       "Tell Storm that `tup` (a Tuple or its id, str) could not be processed, so\n"
                       "that its spout may emit it again. ValueError if it was settled before.");

typedef int settle_function(struct session *, struct tuple_id, struct fault *);

static PyObject *
settle(PyTypeObject *class, const struct parameters *parameters, PyObject *const *args,
       Py_ssize_t nargs, PyObject *names, settle_function *function)
{
    struct module_state *state = PyType_GetModuleState(class);
    struct fault fault = {0};
    struct tuple_id id;
    PyObject *tuple;
    if (args_unpack(parameters, args, nargs, names, &tuple) < 0 || module_session(state) == NULL ||
        tuple_id_of(state, tuple, &id) < 0) {
        return NULL;
    }
    return finish(state, function(state->session, id, &fault), &fault);
}

static PyObject *
bolt_ack(PyObject *self, PyTypeObject *class, PyObject *const *args, Py_ssize_t nargs,
         PyObject *names)
{
    static const struct parameters parameters = {"ack", 1, 1, {"tup"}};
    (void)self;
    return settle(class, &parameters, args, nargs, names, session_ack);
}

static PyObject *
bolt_fail(PyObject *self, PyTypeObject *class, PyObject *const *args, Py_ssize_t nargs,
          PyObject *names)
{
    static const struct parameters parameters = {"fail", 1, 1, {"tup"}};
    (void)self;
    return settle(class, &parameters, args, nargs, names, session_fail);
}

PyDoc_STRVAR(is_live_doc, "is_live($self, tup, /)\n--\n\n"
                          "True while `tup` (a Tuple or its id, str) is neither acked nor failed.");

static PyObject *
bolt_is_live(PyObject *self, PyTypeObject *class, PyObject *const *args, Py_ssize_t nargs,
             PyObject *names)
{
    static const struct parameters parameters = {"is_live", 1, 1, {"tup"}};
    struct module_state *state = PyType_GetModuleState(class);
    struct tuple_id id;
    PyObject *tuple;
    (void)self;
    if (args_unpack(&parameters, args, nargs, names, &tuple) < 0 || module_session(state) == NULL ||
        tuple_id_of(state, tuple, &id) < 0) {
        return NULL;
    }
    return PyBool_FromLong(session_is_live(state->session, id));
}

static PyMethodDef bolt_methods[] = {
    {"emit", (PyCFunction)(void (*)(void))bolt_emit, METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     bolt_emit_doc},
    {"ack", (PyCFunction)(void (*)(void))bolt_ack, METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     ack_doc},
    {"fail", (PyCFunction)(void (*)(void))bolt_fail, METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     fail_doc},
    {"is_live", (PyCFunction)(void (*)(void))bolt_is_live,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS, is_live_doc},
    {NULL, NULL, 0, NULL},
};

static PyObject *
bolt_get_current(ComponentObject *self, void *unused)
{
    (void)unused;
    if (self->current == NULL) {
        return PyList_New(0);
    }
    return PyList_Check(self->current) ? Py_NewRef(self->current)
                                       : Py_BuildValue("[O]", self->current);
}

static int
bolt_set_current(ComponentObject *self, PyObject *value, void *unused)
{
    (void)unused;
    if (value == NULL || !PyList_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "a list of Tuples is needed");
        return -1;
    }
    Py_XSETREF(self->current, Py_NewRef(value));
    return 0;
}

static PyGetSetDef bolt_getset[] = {
    {"_current_tups", (getter)bolt_get_current, (setter)bolt_set_current,
     "list of Tuple: what an emit is anchored to by default", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot bolt_slots[] = {
    {Py_tp_doc, "What a bolt can do; stormcell.Bolt is to be subclassed."},
    {Py_tp_methods, bolt_methods},
    {Py_tp_getset, bolt_getset},
    {Py_tp_traverse, component_traverse},
    {Py_tp_clear, component_clear},
    {Py_tp_dealloc, component_dealloc},
    {0, NULL},
};

static PyType_Spec bolt_spec = {
    .name = "_stormcell.Bolt",
    .basicsize = sizeof(ComponentObject),
    .flags = TYPE_FLAGS,
    .slots = bolt_slots,
};

PyTypeObject *
bolt_type_new(PyObject *module, PyTypeObject *base)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &bolt_spec, (PyObject *)base);
}

/* ---- Spout ------------------------------------------------------------------------------ */

PyDoc_STRVAR(spout_emit_doc,
"emit($self, /, tup, tup_id=None, stream=None, direct_task=None, need_task_ids=False)\n--\n\n"
"Emit a tuple.\n\n"
"tup: list or tuple of JSON values, one for each field of the stream; tup_id: any JSON value; with\n"
"one, Storm follows the tuple and calls ack(tup_id) or fail(tup_id) in the end; stream: str, default\n"
"'default'; direct_task, need_task_ids and the errors as for a bolt.");

static int
read_tup_id(struct module_state *state, PyObject *tup_id, struct emit *emit)
{
    if (!given(tup_id)) {
        return 0;
    }
    state->id.len = 0;
    if (encode_value(&state->id, tup_id, "tup_id") < 0) {
        return -1;
    }
    emit->id = (struct slice){state->id.data, state->id.len};
    return 0;
}

static PyObject *
spout_emit(PyObject *self, PyTypeObject *class, PyObject *const *args, Py_ssize_t nargs,
           PyObject *names)
{
    static const struct parameters parameters = {
        "emit", 5, 1, {"tup", "tup_id", "stream", "direct_task", "need_task_ids"}};
    struct module_state *state = PyType_GetModuleState(class);
    struct emit emit = {.task = -1};
    PyObject *a[5];
    (void)self;
    if (args_unpack(&parameters, args, nargs, names, a) < 0 || module_session(state) == NULL) {
        return NULL;
    }
    struct request request = {.values = a[0], .stream = a[2], .task = a[3], .need_task_ids = a[4]};
    if (read_request(&request, &emit) < 0 || read_tup_id(state, a[1], &emit) < 0) {
        return NULL;
    }
    return perform(state, &emit, &request);
}

static PyMethodDef spout_methods[] = {
    {"emit", (PyCFunction)(void (*)(void))spout_emit, METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     spout_emit_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot spout_slots[] = {
    {Py_tp_doc, "What a spout can do; stormcell.Spout is to be subclassed."},
    {Py_tp_methods, spout_methods},
    {Py_tp_traverse, component_traverse},
    {Py_tp_clear, component_clear},
    {Py_tp_dealloc, component_dealloc},
    {0, NULL},
};

static PyType_Spec spout_spec = {
    .name = "_stormcell.Spout",
    .basicsize = sizeof(ComponentObject),
    .flags = TYPE_FLAGS,
    .slots = spout_slots,
};

PyTypeObject *
spout_type_new(PyObject *module, PyTypeObject *base)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spout_spec, (PyObject *)base);
}
