/* What only the build for every Python needs (limited.h). */
#include "limited.h"

#ifdef Py_LIMITED_API

#include <stdlib.h>

bool tuples_remember;

void
limited_init(void)
{
    const char *minor = strchr(Py_GetVersion(), '.');
    tuples_remember = minor == NULL || atoi(minor + 1) >= 14;
}

/* Types of C are static, or cannot be changed. */
static bool
is_python_class(PyTypeObject *type)
{
    unsigned long flags = PyType_GetFlags(type);
    return (flags & Py_TPFLAGS_HEAPTYPE) != 0 && (flags & Py_TPFLAGS_IMMUTABLETYPE) == 0;
}

/* As the full API has it: a class of Python code by its name, one of C with its module. */
static PyObject *
full_name(PyTypeObject *type)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)type, "__name__");
    if (name == NULL || is_python_class(type)) {
        return name;
    }
    PyObject *module = PyObject_GetAttrString((PyObject *)type, "__module__");
    if (module != NULL && PyUnicode_Check(module) &&
        PyUnicode_CompareWithASCIIString(module, "builtins") != 0) {
        Py_SETREF(name, PyUnicode_FromFormat("%U.%S", module, name));
    }
    Py_XDECREF(module);
    return name;
}

const char *
type_name(PyObject *object)
{
    static char text[256];
    PyObject *name = full_name(Py_TYPE(object));
    const char *utf8 =
        name != NULL && PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    snprintf(text, sizeof text, "%s", utf8 != NULL ? utf8 : "thing");
    Py_XDECREF(name);
    PyErr_Clear(); /* of a metaclass with other ideas */
    return text;
}

#endif
