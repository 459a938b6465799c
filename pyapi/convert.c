/* The way in: JSON text straight to Python objects, in one pass, with no tree between. */
#include "pyapi.h"

/* ---- scalars ---------------------------------------------------------------------------- */

static PyObject *
convert_string(struct module_state *state, const struct json_value *value)
{
    /* an escape may leave half of a surrogate pair, which Python can hold as well */
    return value->ascii ? string_ascii(state, value->text)
                        : PyUnicode_DecodeUTF8(value->text.ptr, (Py_ssize_t)value->text.len,
                                               value->escaped ? "surrogatepass" : NULL);
}

/* The text with a NUL behind it, as C's and Python's parsers want it; borrowed. */
static const char *
terminated(struct module_state *state, struct slice text)
{
    state->text.len = 0;
    if (buffer_append(&state->text, text, state_fault(state)) < 0 ||
        buffer_append(&state->text, (struct slice){"", 1}, state_fault(state)) < 0) {
        raise_fault(state, &state->fault);
        return NULL;
    }
    return state->text.data;
}

static PyObject *
convert_float(struct module_state *state, const struct json_value *value)
{
    double number;
    if (json_double(value, &number)) {
        return PyFloat_FromDouble(number);
    }
    const char *digits = terminated(state, value->text);
    if (digits == NULL) {
        return NULL;
    }
    number = PyOS_string_to_double(digits, NULL, NULL); /* 1e999 is inf, as in Python's json */
    return number == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(number);
}

static PyObject *
convert_bigint(struct module_state *state, struct slice text)
{
    const char *digits = terminated(state, text);
    return digits != NULL ? PyLong_FromString(digits, NULL, 10) : NULL;
}

/* ---- containers ------------------------------------------------------------------------- */

static PyObject *convert_next(struct module_state *state, struct json_reader *reader, int depth);

static PyObject *
convert_array(struct module_state *state, struct json_reader *reader, int depth)
{
    PyObject *list = PyList_New(0);
    int more = -1;
    for (bool first = true; list != NULL && (more = json_element(reader, first)) > 0;
         first = false) {
        PyObject *item = convert_next(state, reader, depth);
        int result = item != NULL ? PyList_Append(list, item) : -1;
        Py_XDECREF(item);
        if (result < 0) {
            Py_CLEAR(list);
        }
    }
    if (more < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static int
convert_member(struct module_state *state, struct json_reader *reader,
               const struct json_value *name, PyObject *dict, int depth)
{
    PyObject *key = convert_string(state, name);
    PyObject *value = key != NULL ? convert_next(state, reader, depth) : NULL;
    int result = value != NULL ? PyDict_SetItem(dict, key, value) : -1;
    Py_XDECREF(key);
    Py_XDECREF(value);
    return result;
}

static PyObject *
convert_object(struct module_state *state, struct json_reader *reader, int depth)
{
    struct json_value name;
    PyObject *dict = PyDict_New();
    int more = -1;
    for (bool first = true; dict != NULL && (more = json_member(reader, first, &name)) > 0;
         first = false) {
        if (convert_member(state, reader, &name, dict, depth) < 0) {
            Py_CLEAR(dict);
        }
    }
    if (more < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *
too_deep(struct json_reader *reader)
{
    fault_set(reader->fault, FAULT_LIMIT, (size_t)(reader->at - reader->start),
              "nested deeper than %d levels", JSON_DEPTH_MAX);
    return NULL;
}

/* The next value (new), or NULL with an exception or the reader's fault set. */
static PyObject *
convert_next(struct module_state *state, struct json_reader *reader, int depth)
{
    struct json_value value;
    if (json_read(reader, &value) < 0) {
        return NULL;
    }
    switch (value.type) {
    case JSON_TYPE_NULL:
        Py_RETURN_NONE;
    case JSON_TYPE_TRUE:
        Py_RETURN_TRUE;
    case JSON_TYPE_FALSE:
        Py_RETURN_FALSE;
    case JSON_TYPE_INT:
        return PyLong_FromLongLong(value.number);
    case JSON_TYPE_BIGINT:
        return convert_bigint(state, value.text);
    case JSON_TYPE_FLOAT:
        return convert_float(state, &value);
    case JSON_TYPE_NAN:
        return PyFloat_FromDouble(Py_NAN);
    case JSON_TYPE_INF:
        return PyFloat_FromDouble((double)value.number * Py_HUGE_VAL);
    case JSON_TYPE_STRING:
        return convert_string(state, &value);
    case JSON_TYPE_ARRAY:
        return depth < JSON_DEPTH_MAX ? convert_array(state, reader, depth + 1) : too_deep(reader);
    case JSON_TYPE_OBJECT:
        return depth < JSON_DEPTH_MAX ? convert_object(state, reader, depth + 1) : too_deep(reader);
    }
    Py_UNREACHABLE();
}

/* ---- whole texts ------------------------------------------------------------------------ */

/* What a conversion comes to: its result, or NULL with an exception in place of a fault. Borrows. */
static PyObject *
finish(struct module_state *state, struct json_reader *reader, PyObject *result)
{
    if (result != NULL && json_finish(reader) == 0) {
        return result;
    }
    if (!PyErr_Occurred()) {
        raise_fault(state, reader->fault);
    }
    return NULL;
}

static struct json_reader
reader_of(struct module_state *state, struct slice text)
{
    struct json_reader reader = json_reader(text, state_fault(state));
    reader.unescaped = &state->text;
    return reader;
}

PyObject *
convert_json(struct module_state *state, struct slice text)
{
    struct json_reader reader = reader_of(state, text);
    PyObject *value = convert_next(state, &reader, 0);
    if (finish(state, &reader, value) == NULL) {
        Py_CLEAR(value);
    }
    return value;
}

/* Put the values into a tuple that nobody else knows. 0, or -1 with an exception or the reader's fault. */
static int
fill(struct module_state *state, struct json_reader *reader, PyObject *values)
{
    Py_ssize_t count = Py_SIZE(values);
    Py_ssize_t i = 0;
    int more;
    for (; (more = json_element(reader, i == 0)) > 0 && i < count; i++) {
        PyObject *item = convert_next(state, reader, 1);
        if (item == NULL) {
            return -1;
        }
        tuple_put(values, i, item);
    }
    if (more >= 0 && (more > 0 || i < count)) {
        PyErr_Format(PyExc_ValueError, "it has %s than the %zd field%s that its stream declares",
                     more > 0 ? "more values" : "fewer values", count, count == 1 ? "" : "s");
        return -1;
    }
    return more;
}

int
convert_values_into(struct module_state *state, struct slice text, PyObject *values)
{
    struct json_reader reader = reader_of(state, text);
    struct json_value bracket;
    bool filled = json_read(&reader, &bracket) == 0 && fill(state, &reader, values) == 0;
    return finish(state, &reader, filled ? values : NULL) != NULL ? 0 : -1;
}

static PyObject *
convert_plain(struct module_state *state, struct slice text)
{
    PyObject *list = convert_json(state, text);
    PyObject *values = list != NULL ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return values;
}

PyObject *
convert_values(struct module_state *state, struct slice text, const struct source *source)
{
    if (source->values_type == NULL) {
        return convert_plain(state, text);
    }
    /* an instance without items: it is a tuple with names */
    PyObject *values = type_allocate(source->values_type, source->field_count);
    if (values != NULL && convert_values_into(state, text, values) < 0) {
        Py_CLEAR(values);
    }
    return values;
}
