/* stormcell.Bolt, as far as it is hot: emit anchored to the tuple in hand, ack, fail. */
#include "pyapi.h"

PyDoc_STRVAR(
    bolt_emit_doc,
    "emit($self, /, tup, stream=None, anchors=None, direct_task=None, need_task_ids=False)\n--\n\n"
    "Emit a tuple.\n\n"
    "tup: list or tuple of JSON values, one for each field of the stream; stream: str, default\n"
    "'default'; anchors: Tuples (or ids, str) that the new tuple is a consequence of, by default "
    "the\n"
    "tuple in hand if auto_anchor is on; direct_task: the int id of the task that gets it, on a "
    "direct\n"
    "stream; need_task_ids: wait for the ids of the tasks that get it and return them as a list of "
    "int\n"
    "(slow: a round trip to Storm). Returns None otherwise.\n\n"
    "TypeError, ValueError or OverflowError name the value that Storm could not take, or the "
    "stream;\n"
    "nothing has been emitted then.");

/* The id of something to anchor to. 0, or -1 with an exception. */
static int
anchor_id(struct module_state *state, PyObject *anchor, struct tuple_id *id)
{
    if (tuple_id_of(state, anchor, id) < 0) {
        return -1;
    }
    if (!session_is_live(state->session, *id)) {
        PyErr_Format(PyExc_ValueError,
                     "cannot anchor to %R: it was acked or failed before (emit first, then ack)",
                     anchor);
        return -1;
    }
    return 0;
}

/* Write an anchor behind those that are in state->anchors. */
static int
add_anchor(struct module_state *state, PyObject *anchor)
{
    struct tuple_id id;
    if (anchor_id(state, anchor, &id) < 0) {
        return -1;
    }
    if ((state->anchors.len > 0 &&
         buffer_append(&state->anchors, SLICE(","), state_fault(state)) < 0) ||
        message_write_id(&state->anchors, id, state_fault(state)) < 0) {
        raise_fault(state, &state->fault);
        return -1;
    }
    return 0;
}

static int
add_anchors(struct module_state *state, PyObject *anchors)
{
    PyObject *items = PySequence_Fast(anchors, "anchors must be a list of Tuples");
    bool list = items != NULL && PyList_Check(items);
    int result = items != NULL ? 0 : -1;
    for (Py_ssize_t i = 0; result == 0 && i < Py_SIZE(items); i++) {
        result = add_anchor(state, list ? PyList_GET_ITEM(items, i) : PyTuple_GET_ITEM(items, i));
    }
    Py_XDECREF(items);
    return result;
}

/* One Tuple of Storm's: its id stands ready in it. */
static int
anchor_to_tuple(struct module_state *state, TupleObject *tuple, struct emit *emit)
{
    struct tuple_id id;
    emit->anchors = (struct slice){tuple->quoted, (size_t)tuple->digit_count + 2};
    return anchor_id(state, (PyObject *)tuple, &id);
}

/* What the tuple is anchored to, borrowed from the Tuple or from state->anchors. */
static int
read_anchors(struct module_state *state, const ComponentObject *self, PyObject *anchors,
             struct emit *emit)
{
    if (!argument_given(anchors)) {
        anchors = self->auto_anchor ? self->current : NULL;
        if (anchors == NULL) {
            return 0;
        }
    }
    bool is_tuple = Py_IS_TYPE(anchors, state->tuple_type);
    if (is_tuple && ((TupleObject *)anchors)->numbered) {
        return anchor_to_tuple(state, (TupleObject *)anchors, emit);
    }
    state->anchors.len = 0;
    int result = is_tuple || PyUnicode_Check(anchors) ? add_anchor(state, anchors)
                                                      : add_anchors(state, anchors);
    if (state->anchors.len > 0) {
        emit->anchors = (struct slice){state->anchors.data, state->anchors.len};
    }
    return result;
}

static PyObject *
bolt_emit(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {
        "emit", 5, 1, {"tup", "stream", "anchors", "direct_task", "need_task_ids"}};
    struct module_state *state = component_state(self);
    struct emit emit = {.task = -1};
    PyObject *a[5];
    if (args_unpack(&parameters, args, nargs, names, a) < 0 || module_session(state) == NULL) {
        return NULL;
    }
    struct emit_arguments arguments = {.values = a[0],
                                       .stream = a[1],
                                       .task = a[3],
                                       .need_task_ids = a[4]};
    if (component_read_emit(&arguments, &emit) < 0 ||
        read_anchors(state, (ComponentObject *)self, a[2], &emit) < 0) {
        return NULL;
    }
    return component_emit(state, &emit, a[0]);
}

PyDoc_STRVAR(ack_doc,
             "ack($self, tup, /)\n--\n\n"
             "Tell Storm that `tup` (a Tuple or its id, str) is done with. ValueError if it\n"
             "was acked or failed before.");
PyDoc_STRVAR(fail_doc, "fail($self, tup, /)\n--\n\n"
                       "Tell Storm that `tup` (a Tuple or its id, str) could not be processed, so\n"
                       "that its spout may emit it again. ValueError if it was settled before.");

typedef int settle_function(struct session *, struct tuple_id, struct fault *);

static PyObject *
settle(PyObject *self, const struct parameters *parameters, PyObject *const *args, Py_ssize_t nargs,
       PyObject *names, settle_function *function)
{
    struct module_state *state = component_state(self);
    struct tuple_id id;
    PyObject *tuple;
    if (args_unpack(parameters, args, nargs, names, &tuple) < 0 || module_session(state) == NULL ||
        tuple_id_of(state, tuple, &id) < 0) {
        return NULL;
    }
    return component_said(state, function(state->session, id, state_fault(state)));
}

static PyObject *
bolt_ack(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"ack", 1, 1, {"tup"}};
    return settle(self, &parameters, args, nargs, names, session_ack);
}

static PyObject *
bolt_fail(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"fail", 1, 1, {"tup"}};
    return settle(self, &parameters, args, nargs, names, session_fail);
}

PyDoc_STRVAR(is_live_doc, "is_live($self, tup, /)\n--\n\n"
                          "True while `tup` (a Tuple or its id, str) is neither acked nor failed.");

static PyObject *
bolt_is_live(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {"is_live", 1, 1, {"tup"}};
    struct module_state *state = component_state(self);
    struct tuple_id id;
    PyObject *tuple;
    if (args_unpack(&parameters, args, nargs, names, &tuple) < 0 || module_session(state) == NULL ||
        tuple_id_of(state, tuple, &id) < 0) {
        return NULL;
    }
    return PyBool_FromLong(session_is_live(state->session, id));
}

static PyMethodDef bolt_methods[] = {
    {"emit", (PyCFunction)(void (*)(void))bolt_emit, METH_FASTCALL | METH_KEYWORDS, bolt_emit_doc},
    {"ack", (PyCFunction)(void (*)(void))bolt_ack, METH_FASTCALL | METH_KEYWORDS, ack_doc},
    {"fail", (PyCFunction)(void (*)(void))bolt_fail, METH_FASTCALL | METH_KEYWORDS, fail_doc},
    {"is_live", (PyCFunction)(void (*)(void))bolt_is_live, METH_FASTCALL | METH_KEYWORDS,
     is_live_doc},
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
    {Py_tp_new, component_new},
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
    .flags = COMPONENT_FLAGS,
    .slots = bolt_slots,
};

PyTypeObject *
bolt_type_new(PyObject *module, PyTypeObject *base)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &bolt_spec, (PyObject *)base);
}
