/* stormcell.Tuple: what a bolt is given. Its id is turned into a str only for those who ask. */
#include "pyapi.h"

#include <structmember.h>

PyDoc_STRVAR(
    tuple_doc,
    "Tuple(id, component, stream, task, values)\n--\n\n"
    "A tuple that a bolt receives.\n\n"
    "id: str, Storm's id of it; component: str and task: int, where it comes from (task -1: Storm\n"
    "itself); stream: str; values: tuple, a named one where the stream's fields are known.\n"
    "A field name that Python cannot use is replaced by its position: _0, _1, ...");

/* ---- making ----------------------------------------------------------------------------- */

static void
set_id(TupleObject *self, struct tuple_id id, PyObject *text)
{
    self->numbered = id.numbered;
    self->number = id.number;
    self->id = text;
    self->digit_count = 0;
    if (id.numbered) {
        self->digit_count = (unsigned char)id.text.len;
        self->quoted[0] = self->quoted[1 + id.text.len] = '"';
        memcpy(self->quoted + 1, id.text.ptr, id.text.len);
    }
}

/* The spare Tuple, where it is of that source and still nobody's, or NULL. */
static TupleObject *
take_spare(struct module_state *state, const struct source *source)
{
    TupleObject *spare = state->spare;
    if (spare == NULL || !Py_IS_TYPE(spare->values, source->values_type) || Py_REFCNT(spare) != 1 ||
        Py_REFCNT(spare->values) != 1) {
        return NULL;
    }
    state->spare = NULL;
    return spare;
}

static TupleObject *
new_tuple(struct module_state *state, struct slice text, const struct source *source)
{
    PyObject *values = convert_values(state, text, source);
    TupleObject *self = values != NULL ? PyObject_GC_New(TupleObject, state->tuple_type) : NULL;
    if (self == NULL) {
        Py_XDECREF(values);
        return NULL;
    }
    self->id = NULL;
    self->values = values;
    self->component = Py_NewRef(source->component);
    self->stream = Py_NewRef(source->stream);
    PyObject_GC_Track(self);
    return self;
}

static TupleObject *
refill(struct module_state *state, struct slice text, TupleObject *self)
{
    if (convert_values_into(state, text, self->values) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

/* The id's str where it is no number. 0, or -1 with an exception. */
static int
id_text(struct tuple_id id, PyObject **text)
{
    *text =
        id.numbered ? NULL : PyUnicode_DecodeUTF8(id.text.ptr, (Py_ssize_t)id.text.len, "replace");
    return id.numbered || *text != NULL ? 0 : -1;
}

PyObject *
tuple_from_message(struct module_state *state, const struct message *message,
                   const struct source *source, struct tuple_id id)
{
    PyObject *text = NULL;
    TupleObject *self = take_spare(state, source);
    self = self != NULL ? refill(state, message->values, self)
                        : new_tuple(state, message->values, source);
    if (self == NULL || id_text(id, &text) < 0) {
        Py_XDECREF(self);
        return NULL;
    }
    set_id(self, id, text);
    self->task = message->task;
    return (PyObject *)self;
}

/* None stands for what was there: whoever finds the tuple by way of gc can look at it. */
static void
empty_values(PyObject *values)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(values); i++) {
        tuple_put(values, i, Py_NewRef(Py_None));
    }
#if PY_VERSION_HEX >= 0x030e0000 && !defined Py_LIMITED_API
    ((PyTupleObject *)values)->ob_hash = -1; /* it remembers the hash of what was in it */
#endif
}

void
tuple_retire(struct module_state *state, PyObject *tuple)
{
    TupleObject *self = (TupleObject *)tuple;
    if (state->spare != NULL || tuples_remember || Py_REFCNT(self) != 1 ||
        Py_REFCNT(self->values) != 1 || PyTuple_CheckExact(self->values)) {
        Py_DECREF(tuple);
        return;
    }
    empty_values(self->values);
    Py_CLEAR(self->id);
    state->spare = self;
}

/* `values` itself if it is a tuple (named ones are), else a tuple of its items: new. */
static PyObject *
as_tuple(PyObject *values)
{
    return PyTuple_Check(values) ? Py_NewRef(values) : PySequence_Tuple(values);
}

static PyObject *
tuple_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"id", "component", "stream", "task", "values", NULL};
    PyObject *id;
    PyObject *component;
    PyObject *stream;
    PyObject *values;
    long long task;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UUULO:Tuple", names, &id, &component, &stream,
                                     &task, &values)) {
        return NULL;
    }
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(id, &len);
    values = text != NULL ? as_tuple(values) : NULL;
    TupleObject *self = values != NULL ? (TupleObject *)type_allocate(type, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(values);
        return NULL;
    }
    set_id(self, tuple_id_parse((struct slice){text, (size_t)len}), Py_NewRef(id));
    self->component = Py_NewRef(component);
    self->stream = Py_NewRef(stream);
    self->task = task;
    self->values = values;
    return (PyObject *)self;
}

static int
tuple_traverse(TupleObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->values);
    return 0;
}

static int
tuple_clear(TupleObject *self)
{
    Py_CLEAR(self->values);
    return 0;
}

static void
tuple_dealloc(TupleObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(self->id);
    Py_XDECREF(self->component);
    Py_XDECREF(self->stream);
    Py_XDECREF(self->values);
    type_free(self);
}

/* ---- looking ---------------------------------------------------------------------------- */

static PyObject *
tuple_get_id(TupleObject *self, void *unused)
{
    (void)unused;
    if (self->id == NULL) {
        self->id = PyUnicode_FromStringAndSize(self->quoted + 1, self->digit_count);
    }
    return Py_XNewRef(self->id);
}

static PyObject *
tuple_repr(TupleObject *self)
{
    PyObject *id = tuple_get_id(self, NULL);
    PyObject *text =
        id != NULL
            ? PyUnicode_FromFormat("Tuple(id=%R, component=%R, stream=%R, task=%lld, values=%R)",
                                   id, self->component, self->stream, (long long)self->task,
                                   self->values)
            : NULL;
    Py_XDECREF(id);
    return text;
}

/* The five parts as a plain tuple: new. */
static PyObject *
parts(TupleObject *self)
{
    PyObject *id = tuple_get_id(self, NULL);
    return id == NULL ? NULL
                      : Py_BuildValue("(NOOLO)", id, self->component, self->stream,
                                      (long long)self->task, self->values);
}

static PyObject *
tuple_compare(PyObject *self, PyObject *other, int operation)
{
    if (!Py_IS_TYPE(other, Py_TYPE(self)) || (operation != Py_EQ && operation != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *mine = parts((TupleObject *)self);
    PyObject *theirs = mine != NULL ? parts((TupleObject *)other) : NULL;
    PyObject *result = theirs != NULL ? PyObject_RichCompare(mine, theirs, operation) : NULL;
    Py_XDECREF(mine);
    Py_XDECREF(theirs);
    return result;
}

static Py_hash_t
tuple_hash(PyObject *self)
{
    PyObject *id = tuple_get_id((TupleObject *)self, NULL);
    Py_hash_t hash = id != NULL ? PyObject_Hash(id) : -1;
    Py_XDECREF(id);
    return hash;
}

/* Pickled with plain values: their named tuple's class cannot be imported. */
static PyObject *
tuple_reduce(PyObject *self, PyObject *unused)
{
    TupleObject *tuple = (TupleObject *)self;
    (void)unused;
    PyObject *id = tuple_get_id(tuple, NULL);
    PyObject *values = id != NULL ? PySequence_List(tuple->values) : NULL;
    if (values == NULL) {
        Py_XDECREF(id);
        return NULL;
    }
    return Py_BuildValue("O(NOOLN)", Py_TYPE(self), id, tuple->component, tuple->stream,
                         (long long)tuple->task, values);
}

int
tuple_id_of(struct module_state *state, PyObject *object, struct tuple_id *id)
{
    if (Py_IS_TYPE(object, state->tuple_type)) {
        TupleObject *tuple = (TupleObject *)object;
        if (tuple->numbered) {
            *id = (struct tuple_id){tuple->number, true, {tuple->quoted + 1, tuple->digit_count}};
            return 0;
        }
        object = tuple->id;
    }
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "a Tuple or the id of one (str) is needed, not a %s",
                     type_name(object));
        return -1;
    }
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(object, &len);
    if (text == NULL) {
        return -1;
    }
    *id = tuple_id_parse((struct slice){text, (size_t)len});
    return 0;
}

/* ---- the type --------------------------------------------------------------------------- */

static PyGetSetDef tuple_getset[] = {
    {"id", (getter)tuple_get_id, NULL, "str: Storm's id of the tuple", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* T_OBJECT_EX and not T_OBJECT: what is never NULL the interpreter reads without a call (word count:
   150 instructions a tuple). */
static PyMemberDef tuple_members[] = {
    {"component", T_OBJECT_EX, offsetof(TupleObject, component), READONLY, "str: who emitted it"},
    {"stream", T_OBJECT_EX, offsetof(TupleObject, stream), READONLY, "str: the stream it came on"},
    {"task", T_LONGLONG, offsetof(TupleObject, task), READONLY, "int: the task that emitted it"},
    {"values", T_OBJECT_EX, offsetof(TupleObject, values), READONLY, "tuple: its values"},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef tuple_methods[] = {
    {"__reduce__", tuple_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot tuple_slots[] = {
    {Py_tp_doc, (void *)tuple_doc},     {Py_tp_new, tuple_new},
    {Py_tp_dealloc, tuple_dealloc},     {Py_tp_traverse, tuple_traverse},
    {Py_tp_clear, tuple_clear},         {Py_tp_repr, tuple_repr},
    {Py_tp_richcompare, tuple_compare}, {Py_tp_hash, tuple_hash},
    {Py_tp_getset, tuple_getset},       {Py_tp_members, tuple_members},
    {Py_tp_methods, tuple_methods},     {0, NULL},
};

static PyType_Spec tuple_spec = {
    .name = "stormcell.Tuple",
    .basicsize = sizeof(TupleObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = tuple_slots,
};

PyTypeObject *
tuple_type_new(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &tuple_spec, NULL);
}
