/* stormcell.Spout, as far as it is hot: emit with an id. */
#include "pyapi.h"

PyDoc_STRVAR(
    spout_emit_doc,
    "emit($self, /, tup, tup_id=None, stream=None, direct_task=None, need_task_ids=False)\n--\n\n"
    "Emit a tuple.\n\n"
    "tup: list or tuple of JSON values, one for each field of the stream; tup_id: any JSON value; "
    "with\n"
    "one, Storm follows the tuple and calls ack(tup_id) or fail(tup_id) in the end; stream: str, "
    "default\n"
    "'default'; direct_task, need_task_ids and the errors as for a bolt.");

static int
read_tup_id(struct module_state *state, PyObject *tup_id, struct emit *emit)
{
    if (!argument_given(tup_id)) {
        return 0;
    }
    state->id.len = 0;
    if (encode_value(&state->id, tup_id, "tup_id", session_topology(state->session)) < 0) {
        return -1;
    }
    emit->id = (struct slice){state->id.data, state->id.len};
    return 0;
}

/* Storm has no ackers: the id stays here. It comes back as it would from Storm. */
static PyObject *
emit_acked(struct module_state *state, struct emit *emit, PyObject *values)
{
    PyObject *id = convert_json(state, emit->id);
    emit->id = (struct slice){0};
    PyObject *result = id != NULL ? component_emit(state, emit, values) : NULL;
    if (result != NULL && PyList_Append(state->acked, id) < 0) {
        Py_CLEAR(result);
    }
    Py_XDECREF(id);
    return result;
}

static PyObject *
spout_emit(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const struct parameters parameters = {
        "emit", 5, 1, {"tup", "tup_id", "stream", "direct_task", "need_task_ids"}};
    struct module_state *state = component_state(self);
    struct emit emit = {.task = -1};
    PyObject *a[5];
    if (args_unpack(&parameters, args, nargs, names, a) < 0 || module_session(state) == NULL) {
        return NULL;
    }
    struct emit_arguments arguments = {.values = a[0],
                                       .stream = a[2],
                                       .task = a[3],
                                       .need_task_ids = a[4]};
    if (component_read_emit(&arguments, &emit) < 0 || read_tup_id(state, a[1], &emit) < 0) {
        return NULL;
    }
    bool acked = emit.id.ptr != NULL && state->acked != NULL;
    return acked ? emit_acked(state, &emit, a[0]) : component_emit(state, &emit, a[0]);
}

static PyMethodDef spout_methods[] = {
    {"emit", (PyCFunction)(void (*)(void))spout_emit, METH_FASTCALL | METH_KEYWORDS,
     spout_emit_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot spout_slots[] = {
    {Py_tp_doc, "What a spout can do; stormcell.Spout is to be subclassed."},
    {Py_tp_new, component_new},
    {Py_tp_methods, spout_methods},
    {Py_tp_traverse, component_traverse},
    {Py_tp_clear, component_clear},
    {Py_tp_dealloc, component_dealloc},
    {0, NULL},
};

static PyType_Spec spout_spec = {
    .name = "_stormcell.Spout",
    .basicsize = sizeof(ComponentObject),
    .flags = COMPONENT_FLAGS,
    .slots = spout_slots,
};

PyTypeObject *
spout_type_new(PyObject *module, PyTypeObject *base)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spout_spec, (PyObject *)base);
}
