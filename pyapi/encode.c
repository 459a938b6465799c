/* The way out: Python objects straight into the output buffer as JSON. No Python code runs in here
   (only exact and inherited data of built-in types is read), so nothing changes underneath and no
   other thread can write between. An error names the path to the value: tuple[2]['price']. */
#include "pyapi.h"

/* Where a value stands: in which container, at which place. Lives on the C stack. */
struct place {
    const struct place *outer; /* NULL: the value of `name` itself */
    const char *name;
    PyObject *key; /* of a dict; borrowed. NULL: `index` of a list */
    Py_ssize_t index;
    int depth;
    const struct handshake *reader; /* of the outermost: its Storm; NULL: any */
};

/* ---- errors ----------------------------------------------------------------------------- */

/* The keys and indexes that lead to `place`, the last one first: new. They are held, since the repr()
   of a key is user code, which may take apart what the others stand in. */
static PyObject *
steps_to(const struct place *place)
{
    PyObject *steps = PyList_New(0);
    for (; steps != NULL && place->outer != NULL; place = place->outer) {
        PyObject *step =
            place->key != NULL ? Py_NewRef(place->key) : PyLong_FromSsize_t(place->index);
        if (step == NULL || PyList_Append(steps, step) < 0) {
            Py_CLEAR(steps);
        }
        Py_XDECREF(step);
    }
    return steps;
}

static PyObject *
step_text(PyObject *step)
{
    PyObject *text = PyObject_Repr(step);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        text = PyUnicode_FromFormat("<a %s, whose repr raised>", type_name(step));
    }
    return text;
}

/* "<path>[<step>]" in place of the path, which it takes; a long step is cut. NULL where either is. */
static PyObject *
add_step(PyObject *path, PyObject *step)
{
    PyObject *text = path != NULL && step != NULL ? step_text(step) : NULL;
    PyObject *longer = text != NULL ? PyUnicode_FromFormat("%U[%.200U]", path, text) : NULL;
    Py_XDECREF(path);
    Py_XDECREF(text);
    return longer;
}

static const struct place *
root_of(const struct place *place)
{
    while (place->outer != NULL) {
        place = place->outer;
    }
    return place;
}

static PyObject *
path_text(const struct place *place)
{
    PyObject *steps = steps_to(place);
    PyObject *path = steps != NULL ? PyUnicode_FromString(root_of(place)->name) : NULL;
    for (Py_ssize_t i = steps != NULL ? PyList_GET_SIZE(steps) : 0; path != NULL && i > 0; i--) {
        path = add_step(path, PyList_GetItem(steps, i - 1));
    }
    Py_XDECREF(steps);
    return path;
}

/* The place just below the root that leads to `place`: where the path would be endless. */
static const struct place *
near_root(const struct place *place)
{
    while (place->outer != NULL && place->outer->outer != NULL) {
        place = place->outer;
    }
    return place;
}

/* Raise `type` with "<path> <what>". Returns -1. */
static int
refuse(PyObject *type, const struct place *place, const char *what)
{
    PyObject *path = path_text(place);
    if (path != NULL) {
        PyErr_Format(type, "%U %s", path, what);
        Py_DECREF(path);
    }
    return -1;
}

/* Raise TypeError by `format`, with the path and the type of `value`, which is held meanwhile. */
static int
refuse_with_type(const struct place *place, PyObject *value, const char *format)
{
    Py_INCREF(value);
    PyObject *path = path_text(place);
    if (path != NULL) {
        PyErr_Format(PyExc_TypeError, format, path, type_name(value));
        Py_DECREF(path);
    }
    Py_DECREF(value);
    return -1;
}

static int
refuse_type(const struct place *place, PyObject *value)
{
    if (PyBytes_Check(value) || PyByteArray_Check(value)) {
        return refuse(PyExc_TypeError, place,
                      "is bytes, and JSON carries text: decode it, or encode it with base64");
    }
    if (PyAnySet_Check(value)) {
        return refuse(PyExc_TypeError, place, "is a set, which JSON does not have: emit a list");
    }
    return refuse_with_type(place, value,
                            "%U is a %s, which JSON does not have: emit a str, int, float, bool, "
                            "None, list, tuple or dict");
}

static int
no_room(const struct buffer *out)
{
    PyErr_Format(PyExc_OverflowError,
                 "the tuple is too large to emit: Storm takes less than is said, and %zu MiB wait",
                 out->len >> 20);
    return -1;
}

/* ---- scalars ---------------------------------------------------------------------------- */

static inline int
put(struct buffer *out, struct slice text)
{
    return buffer_append(out, text, NULL) < 0 ? no_room(out) : 0;
}

static int
put_text(struct buffer *out, PyObject *text)
{
    struct slice utf8;
    return string_text(text, &utf8) ? put(out, utf8) : -1;
}

/* An integer of more than 64 bits. Storm reads it as a BigInteger since 2.6; before, its worker dies of it. */
static int
encode_big_int(struct buffer *out, PyObject *value, const struct place *place)
{
    const struct handshake *reader = root_of(place)->reader;
    if (reader != NULL && !handshake_takes_big_integers(reader)) {
        return refuse(PyExc_OverflowError, place,
                      "is an integer of more than 64 bits, which only Storm 2.6 and later takes: "
                      "emit a str, or set stormcell.big.integers");
    }
    PyObject *digits = PyNumber_ToBase(value, 10);
    if (digits == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
        return refuse(PyExc_OverflowError, place,
                      "has more digits than Python writes (sys.set_int_max_str_digits)");
    }
    int result = digits != NULL ? put_text(out, digits) : -1;
    Py_XDECREF(digits);
    return result;
}

static int
encode_int(struct buffer *out, PyObject *value, const struct place *place)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) {
        return encode_big_int(out, value, place);
    }
    return json_write_int(out, number, NULL) < 0 ? no_room(out) : 0;
}

static int
encode_float(struct buffer *out, PyObject *value, const struct place *place)
{
    double number = PyFloat_AS_DOUBLE(value);
    if (!Py_IS_FINITE(number)) {
        return refuse(PyExc_ValueError, place,
                      Py_IS_NAN(number)
                          ? "is nan, which JSON does not have: emit None or a str"
                          : "is infinite, which JSON does not have: emit None or a str");
    }
    return json_write_double(out, number, NULL) < 0 ? no_room(out) : 0;
}

static int
encode_string(struct buffer *out, PyObject *value, const struct place *place)
{
    struct slice text;
    if (!string_text(value, &text)) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            return -1;
        }
        PyErr_Clear();
        return refuse(PyExc_ValueError, place,
                      "holds a lone surrogate, which is no text: replace it, as in "
                      "text.encode('utf-8', 'replace').decode()");
    }
    return json_write_string(out, text, NULL) < 0 ? no_room(out) : 0;
}

/* ---- containers ------------------------------------------------------------------------- */

static int encode_at(struct buffer *out, PyObject *value, const struct place *place);

static int
encode_items(struct buffer *out, PyObject *sequence, const struct place *outer)
{
    struct place place = {.outer = outer, .depth = outer->depth + 1};
    bool list = PyList_Check(sequence);
    for (; place.index < Py_SIZE(sequence); place.index++) {
        PyObject *item =
            list ? PyList_GET_ITEM(sequence, place.index) : PyTuple_GET_ITEM(sequence, place.index);
        if ((place.index > 0 && put(out, SLICE(",")) < 0) || encode_at(out, item, &place) < 0) {
            return -1;
        }
    }
    return 0;
}

/* A key, as Python's json writes it: numbers, booleans and None become text. */
static int
encode_key(struct buffer *out, PyObject *key, const struct place *outer)
{
    struct place place = {.outer = outer, .key = key};
    if (PyUnicode_Check(key)) {
        return encode_string(out, key, &place);
    }
    if (key == Py_None || PyBool_Check(key) || PyLong_Check(key) || PyFloat_Check(key)) {
        return put(out, SLICE("\"")) < 0 || encode_at(out, key, &place) < 0 ||
                       put(out, SLICE("\"")) < 0
                   ? -1
                   : 0;
    }
    return refuse_with_type(outer, key, "%U has a key that is a %s: emit str keys");
}

static int
encode_dict(struct buffer *out, PyObject *dict, const struct place *outer)
{
    struct place place = {.outer = outer, .depth = outer->depth + 1};
    PyObject *value;
    Py_ssize_t position = 0;
    struct slice before = SLICE("{");
    while (PyDict_Next(dict, &position, &place.key, &value)) {
        if (put(out, before) < 0 || encode_key(out, place.key, outer) < 0 ||
            put(out, SLICE(":")) < 0 || encode_at(out, value, &place) < 0) {
            return -1;
        }
        before = SLICE(",");
    }
    return put(out, place.key == NULL ? SLICE("{}") : SLICE("}"));
}

static int
encode_container(struct buffer *out, PyObject *value, const struct place *place)
{
    if (place->depth > JSON_WRITE_DEPTH_MAX) {
        return refuse(PyExc_ValueError, near_root(place),
                      "is nested deeper than 390 levels, which Storm refuses; "
                      "does it contain itself?");
    }
    if (PyDict_Check(value)) {
        return encode_dict(out, value, place);
    }
    return put(out, SLICE("[")) < 0 || encode_items(out, value, place) < 0 ||
                   put(out, SLICE("]")) < 0
               ? -1
               : 0;
}

static int
encode_at(struct buffer *out, PyObject *value, const struct place *place)
{
    const unsigned long containers =
        Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_DICT_SUBCLASS;
    unsigned long flags = type_flags(value);
    if ((flags & Py_TPFLAGS_UNICODE_SUBCLASS) != 0) {
        return encode_string(out, value, place);
    }
    if (value == Py_None) {
        return put(out, SLICE("null"));
    }
    if (PyBool_Check(value)) {
        return put(out, value == Py_True ? SLICE("true") : SLICE("false"));
    }
    if ((flags & Py_TPFLAGS_LONG_SUBCLASS) != 0) {
        return encode_int(out, value, place);
    }
    if (PyFloat_Check(value)) {
        return encode_float(out, value, place);
    }
    if ((flags & containers) != 0) {
        return encode_container(out, value, place);
    }
    return refuse_type(place, value);
}

/* ---- whole values ----------------------------------------------------------------------- */

int
encode_values(struct buffer *out, PyObject *values, const struct handshake *reader)
{
    struct place root = {.name = "tuple", .reader = reader};
    return encode_items(out, values, &root);
}

int
encode_value(struct buffer *out, PyObject *value, const char *name, const struct handshake *reader)
{
    struct place root = {.name = name, .depth = 1, .reader = reader};
    return encode_at(out, value, &root);
}
