/* One set of sources for two builds: for one Python, whose objects may be looked into, and for every
   Python from 3.10 on (Py_LIMITED_API), where functions do that. What the limited API has by another
   name stands here under the full one's; what it has in another shape has a name of its own. */
#ifndef STORMCELL_LIMITED_H
#define STORMCELL_LIMITED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <string.h>

#include "buffer.h"

#ifdef Py_LIMITED_API

#define PyTuple_GET_SIZE PyTuple_Size
#define PyTuple_GET_ITEM PyTuple_GetItem
#define PyList_GET_SIZE PyList_Size
#define PyList_GET_ITEM PyList_GetItem
#define PyDict_GET_SIZE PyDict_Size
#define PyFloat_AS_DOUBLE PyFloat_AsDouble
#define PyBytes_AS_STRING PyBytes_AsString

#define Py_SETREF(place, object)                 \
    do {                                         \
        PyObject *before_ = (PyObject *)(place); \
        (place) = (object);                      \
        Py_DECREF(before_);                      \
    } while (0)

#define Py_XSETREF(place, object)                \
    do {                                         \
        PyObject *before_ = (PyObject *)(place); \
        (place) = (object);                      \
        Py_XDECREF(before_);                     \
    } while (0)

/* Objects of the very type, as nearly all are, are known without a call. */
#undef PyUnicode_Check
#define PyUnicode_Check(object) \
    (Py_IS_TYPE(object, &PyUnicode_Type) || PyType_IsSubtype(Py_TYPE(object), &PyUnicode_Type))

/* In the limited API from 3.12 on, and there to be linked with in 3.11. */
extern PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
                                     PyObject *names) __attribute__((weak));

static inline PyObject *
PyObject_CallOneArg(PyObject *callable, PyObject *argument)
{
    const size_t room_before_args = (size_t)1 << (8 * sizeof(size_t) - 1);
    PyObject *args[] = {NULL, argument};
    return PyObject_Vectorcall != NULL
               ? PyObject_Vectorcall(callable, args + 1, 1 | room_before_args, NULL)
               : PyObject_CallFunctionObjArgs(callable, argument, NULL);
}

#endif

/* The flags that tell which built-in type an object is of or its type is derived from: one look for
   many questions. */
static inline unsigned long
type_flags(PyObject *object)
{
#ifdef Py_LIMITED_API
    PyTypeObject *type = Py_TYPE(object);
    return type == &PyUnicode_Type ? Py_TPFLAGS_UNICODE_SUBCLASS
           : type == &PyLong_Type  ? Py_TPFLAGS_LONG_SUBCLASS
           : type == &PyList_Type  ? Py_TPFLAGS_LIST_SUBCLASS
           : type == &PyDict_Type  ? Py_TPFLAGS_DICT_SUBCLASS
           : type == &PyFloat_Type || type == &PyBool_Type || object == Py_None
               ? 0
               : PyType_GetFlags(type);
#else
    return Py_TYPE(object)->tp_flags;
#endif
}

/* What a type is called in an error (borrowed until the next call). */
#ifdef Py_LIMITED_API
const char *type_name(PyObject *object);
#else
static inline const char *
type_name(PyObject *object)
{
    return Py_TYPE(object)->tp_name;
}
#endif

static inline PyTypeObject *
type_base(PyTypeObject *type)
{
#ifdef Py_LIMITED_API
    return PyType_GetSlot(type, Py_tp_base);
#else
    return type->tp_base;
#endif
}

/* The module that a type was made for (borrowed), or NULL. */
static inline PyObject *
type_module(PyTypeObject *type)
{
#ifdef Py_LIMITED_API
    PyObject *module =
        (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE) != 0 ? PyType_GetModule(type) : NULL;
    PyErr_Clear();
    return module;
#else
    return type->tp_flags & Py_TPFLAGS_HEAPTYPE ? ((PyHeapTypeObject *)type)->ht_module : NULL;
#endif
}

/* A new object without a value, as the type itself makes it. */
static inline PyObject *
type_new(PyTypeObject *type, PyTypeObject *base, PyObject *args)
{
#ifdef Py_LIMITED_API
    return ((newfunc)PyType_GetSlot(base, Py_tp_new))(type, args, NULL);
#else
    return base->tp_new(type, args, NULL);
#endif
}

static inline PyObject *
type_allocate(PyTypeObject *type, Py_ssize_t items)
{
#ifdef Py_LIMITED_API
    return ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, items);
#else
    return type->tp_alloc(type, items);
#endif
}

/* The last that is done with an object, and with its reference to its type. */
static inline void
type_free(void *object)
{
    PyTypeObject *type = Py_TYPE(object);
#ifdef Py_LIMITED_API
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
#else
    type->tp_free(object);
#endif
    Py_DECREF(type);
}

/* Put an item (stolen) into a tuple that nobody else knows, in place of what is there. */
static inline void
tuple_put(PyObject *tuple, Py_ssize_t index, PyObject *item)
{
#ifdef Py_LIMITED_API
    (void)PyTuple_SetItem(tuple, index, item);
#else
    Py_XSETREF(((PyTupleObject *)tuple)->ob_item[index], item);
#endif
}

/* The text of a str as UTF-8 (borrowed from it). False with an exception where it has none. */
static inline bool
string_text(PyObject *string, struct slice *text)
{
    Py_ssize_t len;
#ifndef Py_LIMITED_API
    if (PyUnicode_IS_COMPACT_ASCII(string)) {
        text->ptr = (const char *)PyUnicode_1BYTE_DATA(string);
        text->len = (size_t)PyUnicode_GET_LENGTH(string);
        return true;
    }
#endif
    text->ptr = PyUnicode_AsUTF8AndSize(string, &len);
    text->len = (size_t)len;
    return text->ptr != NULL;
}

/* A str of ASCII: new, or NULL. */
static inline PyObject *
string_from_ascii(struct slice text)
{
#ifdef Py_LIMITED_API
    return PyUnicode_FromStringAndSize(text.ptr, (Py_ssize_t)text.len);
#else
    PyObject *string = PyUnicode_New((Py_ssize_t)text.len, 127);
    if (string != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(string), text.ptr, text.len);
    }
    return string;
#endif
}

/* Does a tuple remember its hash (from 3.14 on), where only the full API can have it forget that? */
#ifdef Py_LIMITED_API
extern bool tuples_remember;
void limited_init(void);
#else
enum { tuples_remember = false };
static inline void
limited_init(void)
{
}
#endif

#endif
