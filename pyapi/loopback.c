/* A component with Storm's side in the same process: what stormcell.testing stands on. It has a state and
   a session of its own, so there may be any number of them beside each other; what they run is the
   loop, the codec and the rules of every component. */
#include "pyapi.h"

PyDoc_STRVAR(
    loopback_doc,
    "Loopback(task_ids, /)\n--\n\n"
    "Storm's side of one component, in this process, played by whoever calls this.\n"
    "task_ids: called without arguments when an emit asks who gets its tuple; a list of int.");
PyDoc_STRVAR(host_doc, "host($self, component, /)\n--\n\n"
                       "Have what `component` says come here, from now on.");
PyDoc_STRVAR(feed_doc,
             "feed($self, message, /)\n--\n\n"
             "Say `message` (any JSON value) to the component. The message as it arrives there.");
PyDoc_STRVAR(handshake_doc, "handshake($self, /)\n--\n\n"
                            "Take in the handshake that has been fed: (conf, context), two dicts.");
PyDoc_STRVAR(run_doc,
             "run($self, /)\n--\n\n"
             "Have the component work on all that has been fed. False if it asked to end.");
PyDoc_STRVAR(on_timer_doc, "on_timer($self, /)\n--\n\n"
                           "Have the component do what is due when its timer's time has come.");
PyDoc_STRVAR(take_doc, "take($self, /)\n--\n\n"
                       "What the component has said since the last call: a list of dicts.");
PyDoc_STRVAR(cut_off_doc, "cut_off($self, /)\n--\n\n"
                          "In a forked child: the component has no connection to Storm there.");

typedef struct {
    PyObject_HEAD struct module_state state;
    PyObject *task_ids;
    PyObject *arguments; /* what `runner` borrows from; NULL until the component serves */
    struct runner runner;
    bool running;
} LoopbackObject;

static PyObject *
loopback_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *task_ids;
    struct fault fault = {0};
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "Loopback() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O:Loopback", &task_ids)) {
        return NULL;
    }
    LoopbackObject *self = (LoopbackObject *)type_allocate(type, 0);
    if (self == NULL) {
        return NULL;
    }
    const struct module_state *shared = state_of_type(type);
    self->state.component_type = shared->component_type; /* this object's type keeps them alive */
    self->state.bolt_type = shared->bolt_type;
    self->state.spout_type = shared->spout_type;
    self->state.tuple_type = shared->tuple_type;
    self->state.went_away = shared->went_away;
    self->state.loopback = (PyObject *)self;
    self->state.thread = PyThread_get_thread_ident();
    self->task_ids = Py_NewRef(task_ids);
    self->state.session = session_new_loopback(&fault);
    if (self->state.session == NULL) {
        raise_fault(&self->state, &fault);
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* ---- Storm's part ----------------------------------------------------------------------- */

static PyObject *
loopback_host(LoopbackObject *self, PyObject *component)
{
    if (!PyObject_TypeCheck(component, self->state.component_type)) {
        return PyErr_Format(PyExc_TypeError, "a component is needed, not a %s",
                            type_name(component));
    }
    ComponentObject *hosted = (ComponentObject *)component;
    hosted->state = &self->state;
    Py_XSETREF(hosted->loopback, Py_NewRef((PyObject *)self));
    Py_RETURN_NONE;
}

/* Feed what has been written into `text`. The message as it arrives: new. */
static PyObject *
feed_text(struct module_state *state, struct buffer *text)
{
    PyObject *arrives = convert_json(state, (struct slice){text->data, text->len});
    struct fault *fault = state_fault(state);
    if (arrives != NULL &&
        (buffer_append(text, SLICE("\nend\n"), fault) < 0 ||
         session_feed(state->session, (struct slice){text->data, text->len}, fault) < 0)) {
        Py_CLEAR(arrives);
        raise_fault(state, fault);
    }
    return arrives;
}

static PyObject *
loopback_feed(LoopbackObject *self, PyObject *message)
{
    struct buffer text = {0};
    PyObject *arrives =
        encode_value(&text, message, "message", NULL) == 0 ? feed_text(&self->state, &text) : NULL;
    buffer_deinit(&text);
    return arrives;
}

int
loopback_ask_task_ids(PyObject *loopback)
{
    LoopbackObject *self = (LoopbackObject *)loopback;
    PyObject *ids = PyObject_CallNoArgs(self->task_ids);
    PyObject *arrives = ids != NULL ? loopback_feed(self, ids) : NULL;
    Py_XDECREF(ids);
    Py_XDECREF(arrives);
    return arrives != NULL ? 0 : -1;
}

static PyObject *
loopback_handshake(LoopbackObject *self, PyObject *unused)
{
    (void)unused;
    return run_take_handshake(&self->state);
}

/* The dicts that whole frames stand for: a new list, or NULL with an exception. */
static PyObject *
messages_in(struct module_state *state, struct slice bytes)
{
    struct frame_input at = {.end = bytes.len};
    struct slice frame;
    PyObject *messages = PyList_New(0);
    while (messages != NULL && frame_next(&at, bytes.ptr, bytes.len, &frame, NULL) > 0) {
        PyObject *message = convert_json(state, frame);
        if (message == NULL || PyList_Append(messages, message) < 0) {
            Py_CLEAR(messages);
        }
        Py_XDECREF(message);
    }
    return messages;
}

/* From a copy: making objects may run user code, which may say more. */
static PyObject *
loopback_take(LoopbackObject *self, PyObject *unused)
{
    struct slice said = session_said(self->state.session);
    PyObject *copy = PyBytes_FromStringAndSize(said.ptr, (Py_ssize_t)said.len);
    (void)unused;
    if (copy == NULL) {
        return NULL;
    }
    session_heard(self->state.session);
    PyObject *messages =
        messages_in(&self->state, (struct slice){PyBytes_AS_STRING(copy), said.len});
    Py_DECREF(copy);
    return messages;
}

static PyObject *
loopback_cut_off(LoopbackObject *self, PyObject *unused)
{
    (void)unused;
    session_cut_off(self->state.session);
    Py_RETURN_NONE;
}

/* ---- the component's part --------------------------------------------------------------- */

PyObject *
loopback_keep(PyObject *loopback, const struct runner *runner, PyObject *arguments)
{
    LoopbackObject *self = (LoopbackObject *)loopback;
    Py_XSETREF(self->arguments, Py_NewRef(arguments));
    self->runner = *runner;
    self->runner.period_ns = 0; /* the timer's time comes when the caller says so */
    Py_RETURN_TRUE;
}

/* Not from within a call of the component's own code, and not before it serves. 0, or -1. */
static int
begin_work(LoopbackObject *self)
{
    if (self->arguments == NULL || self->running) {
        PyErr_SetString(PyExc_RuntimeError,
                        self->running ? "the component is in the middle of a call: one at a time"
                                      : "the component does not serve yet");
        return -1;
    }
    self->state.thread = PyThread_get_thread_ident();
    self->running = true;
    return 0;
}

static PyObject *
loopback_run(LoopbackObject *self, PyObject *unused)
{
    (void)unused;
    if (begin_work(self) < 0) {
        return NULL;
    }
    PyObject *result = run_loop(&self->runner);
    self->running = false;
    return result;
}

static PyObject *
loopback_on_timer(LoopbackObject *self, PyObject *unused)
{
    (void)unused;
    if (begin_work(self) < 0) {
        return NULL;
    }
    int result = self->runner.on_timer != NULL ? run_on_timer(&self->runner) : 0;
    self->running = false;
    return result < 0 ? NULL : PyBool_FromLong(!self->runner.exiting);
}

/* ---- the type --------------------------------------------------------------------------- */

static int
loopback_traverse(LoopbackObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->task_ids);
    Py_VISIT(self->arguments);
    return state_traverse(&self->state, visit, arg);
}

static int
loopback_clear(LoopbackObject *self)
{
    Py_CLEAR(self->task_ids);
    Py_CLEAR(self->arguments);
    state_clear(&self->state);
    return 0;
}

static void
loopback_dealloc(LoopbackObject *self)
{
    PyObject_GC_UnTrack(self);
    loopback_clear(self);
    state_deinit(&self->state);
    type_free(self);
}

static PyMethodDef loopback_methods[] = {
    {"host", (PyCFunction)loopback_host, METH_O, host_doc},
    {"feed", (PyCFunction)loopback_feed, METH_O, feed_doc},
    {"handshake", (PyCFunction)loopback_handshake, METH_NOARGS, handshake_doc},
    {"run", (PyCFunction)loopback_run, METH_NOARGS, run_doc},
    {"on_timer", (PyCFunction)loopback_on_timer, METH_NOARGS, on_timer_doc},
    {"take", (PyCFunction)loopback_take, METH_NOARGS, take_doc},
    {"cut_off", (PyCFunction)loopback_cut_off, METH_NOARGS, cut_off_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot loopback_slots[] = {
    {Py_tp_doc, (void *)loopback_doc},
    {Py_tp_new, loopback_new},
    {Py_tp_methods, loopback_methods},
    {Py_tp_traverse, loopback_traverse},
    {Py_tp_clear, loopback_clear},
    {Py_tp_dealloc, loopback_dealloc},
    {0, NULL},
};

static PyType_Spec loopback_spec = {
    .name = "_stormcell.Loopback",
    .basicsize = sizeof(LoopbackObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = loopback_slots,
};

PyTypeObject *
loopback_type_new(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &loopback_spec, NULL);
}
