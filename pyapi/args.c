/* Arguments of the hot methods, sorted into their places by one table a function. */
#include "pyapi.h"

static int
find_name(const struct parameters *parameters, PyObject *name)
{
    for (int i = 0; i < parameters->count; i++) {
        if (PyUnicode_CompareWithASCIIString(name, parameters->names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static int
wrong_count(const struct parameters *parameters, Py_ssize_t nargs)
{
    PyErr_Format(PyExc_TypeError, "%s() takes at most %d arguments (%zd given)",
                 parameters->function, parameters->count, nargs);
    return -1;
}

static int
unpack_names(const struct parameters *parameters, PyObject *const *values, PyObject *names,
             PyObject **out)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        int at = find_name(parameters, name);
        if (at < 0) {
            PyErr_Format(PyExc_TypeError, "%s() has no argument named %R", parameters->function,
                         name);
            return -1;
        }
        if (out[at] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got %R twice", parameters->function, name);
            return -1;
        }
        out[at] = values[i];
    }
    return 0;
}

int
args_unpack(const struct parameters *parameters, PyObject *const *args, Py_ssize_t nargs,
            PyObject *names, PyObject **out)
{
    if (nargs > parameters->count) {
        return wrong_count(parameters, nargs);
    }
    memset(out, 0, (size_t)parameters->count * sizeof *out);
    for (Py_ssize_t i = 0; i < nargs; i++) {
        out[i] = args[i];
    }
    if (names != NULL && unpack_names(parameters, args + nargs, names, out) < 0) {
        return -1;
    }
    for (int i = 0; i < parameters->required; i++) {
        if (out[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() needs the argument '%s'", parameters->function,
                         parameters->names[i]);
            return -1;
        }
    }
    return 0;
}
