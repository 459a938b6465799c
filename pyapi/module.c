/* The module `_stormcell`: registration, and nothing that has a home elsewhere. */
#include "pyapi.h"

#include "guardian.h"
#include "handover.h"
#include "stacks.h"

PyDoc_STRVAR(
    module_doc,
    "The compiled part of Stormcell. Use the package `stormcell`; what is here serves it.");

PyDoc_STRVAR(
    open_doc,
    "open($module, /)\n--\n\n"
    "Make Storm's wire private and begin the session. Where stormcell-shim has not done so, this\n"
    "process becomes the guardian of a child in which this call returns. OSError.");
PyDoc_STRVAR(handshake_doc,
             "handshake($module, /)\n--\n\n"
             "Wait for Storm's handshake: (conf, context), two dicts. ValueError if it is none.");
PyDoc_STRVAR(answer_doc,
             "answer($module, /)\n--\n\n"
             "Answer the handshake, if that has not been done; Storm's timers run from then on.");
PyDoc_STRVAR(serve_bolt_doc,
             "serve_bolt($module, component, on_exception, process, process_tick, ack, auto_ack, "
             "auto_anchor,\n"
             "           on_timer, period, values_type_of, /)\n--\n\n"
             "Run a bolt until Storm goes; methods that are None are not called. True if the end "
             "was in order,\n"
             "False if on_exception(exception, tuple or None) asked for it by returning True.");
PyDoc_STRVAR(serve_spout_doc, "serve_spout($module, component, on_exception, next_tuple, ack, "
                              "fail, activate, deactivate, /)\n--\n\n"
                              "Run a spout until Storm goes; as serve_bolt().");
PyDoc_STRVAR(last_words_doc, "last_words($module, text, /)\n--\n\n"
                             "Leave what the guardian is to say about the end of this process.");
PyDoc_STRVAR(
    close_doc,
    "close($module, in_order, /)\n--\n\n"
    "Write what is left, for up to a second, and tell the guardian whether this end is in order.");

/* Have Python's signal handlers end a wait, also when the signal comes just before it begins. */
static PyObject *
wake_on_signals(struct module_state *state)
{
    PyObject *signals = PyImport_ImportModule("_signal");
    PyObject *before = signals != NULL
                           ? PyObject_CallMethod(signals, "set_wakeup_fd", "i",
                                                 session_wake_descriptor(state->session))
                           : NULL;
    Py_XDECREF(signals);
    Py_XDECREF(before);
    return before != NULL ? Py_NewRef(Py_None) : NULL;
}

/* Have Python's stacks written for the guardian, at a crash and when it asks. */
static int
write_stacks(struct module_state *state)
{
    int stacks = session_stacks_descriptor(state->session);
    PyObject *handler = PyImport_ImportModule("faulthandler");
    PyObject *crash =
        handler != NULL ? PyObject_CallMethod(handler, "enable", "iO", stacks, Py_True) : NULL;
    PyObject *asked = crash != NULL ? PyObject_CallMethod(handler, "register", "iiO", STACKS_SIGNAL,
                                                          stacks, Py_True)
                                    : NULL;
    Py_XDECREF(handler);
    Py_XDECREF(crash);
    Py_XDECREF(asked);
    return asked != NULL ? 0 : -1;
}

/* Take what stormcell-shim left in the environment, which is no affair of user code's: None (new) where
   it left nothing. */
static PyObject *
take_handed_over(void)
{
    PyObject *os = PyImport_ImportModule("os");
    PyObject *variables = os != NULL ? PyObject_GetAttrString(os, "environ") : NULL;
    PyObject *given = variables != NULL
                          ? PyObject_CallMethod(variables, "pop", "sO", HANDOVER_VARIABLE, Py_None)
                          : NULL;
    Py_XDECREF(os);
    Py_XDECREF(variables);
    return given;
}

/* Become the guardian of a child, and go on there. */
static struct arena *
become_two(struct fault *fault)
{
    PyOS_BeforeFork();
    struct arena *arena = guardian_enter(fault); /* returns in the child, or not at all forked */
    if (arena != NULL) {
        PyOS_AfterFork_Child();
    } else {
        PyOS_AfterFork_Parent();
    }
    return arena;
}

/* The arena of this process, whichever way it came to be an interpreter's. NULL with a fault, or an
   exception. */
static struct arena *
find_arena(struct fault *fault)
{
    struct arena *arena = guardian_arena();
    if (arena != NULL) {
        return arena;
    }
    PyObject *given = take_handed_over();
    if (given == NULL) {
        return NULL;
    }
    const char *text = given != Py_None ? PyUnicode_AsUTF8AndSize(given, NULL) : NULL;
    if (given == Py_None || text != NULL) {
        arena = text != NULL ? guardian_join(text, fault) : become_two(fault);
    }
    Py_DECREF(given);
    return arena;
}

static PyObject *
module_open(PyObject *module, PyObject *unused)
{
    struct module_state *state = state_of_module(module);
    struct fault fault = {0};
    (void)unused;
    if (state->session != NULL) {
        Py_RETURN_NONE;
    }
    struct arena *arena = find_arena(&fault);
    if (arena != NULL) {
        state->session = session_new(arena, &fault);
    }
    state->thread = PyThread_get_thread_ident();
    if (state->session == NULL) {
        return PyErr_Occurred() ? NULL : raise_fault(state, &fault);
    }
    return write_stacks(state) < 0 ? NULL : wake_on_signals(state);
}

static PyObject *
module_last_words(PyObject *module, PyObject *text)
{
    struct module_state *state = state_of_module(module);
    Py_ssize_t len;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &len);
    if (utf8 == NULL || module_session(state) == NULL) {
        return NULL;
    }
    session_last_words(state->session, (struct slice){utf8, (size_t)len});
    Py_RETURN_NONE;
}

static PyObject *
module_close(PyObject *module, PyObject *in_order)
{
    struct module_state *state = state_of_module(module);
    int ordered = PyObject_IsTrue(in_order);
    if (ordered < 0 || module_session(state) == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS session_close(state->session, 1000, ordered);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"open", module_open, METH_NOARGS, open_doc},
    {"handshake", run_handshake, METH_NOARGS, handshake_doc},
    {"answer", run_answer, METH_NOARGS, answer_doc},
    {"serve_bolt", run_serve_bolt, METH_VARARGS, serve_bolt_doc},
    {"serve_spout", run_serve_spout, METH_VARARGS, serve_spout_doc},
    {"last_words", module_last_words, METH_O, last_words_doc},
    {"close", module_close, METH_O, close_doc},
    {NULL, NULL, 0, NULL},
};

/* The type that nothing else needs to know. */
static int
add_loopback(PyObject *module)
{
    PyTypeObject *type = loopback_type_new(module);
    int result = type != NULL ? PyModule_AddType(module, type) : -1;
    Py_XDECREF(type);
    return result;
}

static int
add_types(PyObject *module, struct module_state *state)
{
    if ((state->tuple_type = tuple_type_new(module)) == NULL ||
        (state->component_type = component_type_new(module)) == NULL ||
        (state->bolt_type = bolt_type_new(module, state->component_type)) == NULL ||
        (state->spout_type = spout_type_new(module, state->component_type)) == NULL) {
        return -1;
    }
    return PyModule_AddType(module, state->tuple_type) < 0 ||
                   PyModule_AddType(module, state->component_type) < 0 ||
                   PyModule_AddType(module, state->bolt_type) < 0 ||
                   PyModule_AddType(module, state->spout_type) < 0 || add_loopback(module) < 0
               ? -1
               : 0;
}

static int
module_exec(PyObject *module)
{
    struct module_state *state = state_of_module(module);
    state->went_away = PyErr_NewExceptionWithDoc(
        "stormcell.StormWentAwayError",
        "Storm has closed the wire. The component's process ends; nothing need be done.", NULL,
        NULL);
    if (state->went_away == NULL ||
        PyModule_AddObjectRef(module, "StormWentAwayError", state->went_away) < 0 ||
        PyModule_AddStringConstant(module, "__version__", STORMCELL_VERSION) < 0) {
        return -1;
    }
    return add_types(module, state);
}

int
state_traverse(struct module_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->values_type_of);
    Py_VISIT(state->acked);
    return 0;
}

void
state_clear(struct module_state *state)
{
    Py_CLEAR(state->values_type_of);
    Py_CLEAR(state->acked);
    Py_CLEAR(state->spare);
    sources_clear(state);
    strings_clear(state);
}

void
state_deinit(struct module_state *state)
{
    state_clear(state);
    session_free(state->session);
    buffer_deinit(&state->text);
    buffer_deinit(&state->anchors);
    buffer_deinit(&state->id);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct module_state *state = state_of_module(module);
    Py_VISIT(state->component_type);
    Py_VISIT(state->bolt_type);
    Py_VISIT(state->spout_type);
    Py_VISIT(state->tuple_type);
    Py_VISIT(state->went_away);
    return state_traverse(state, visit, arg);
}

static int
module_clear(PyObject *module)
{
    struct module_state *state = state_of_module(module);
    Py_CLEAR(state->component_type);
    Py_CLEAR(state->bolt_type);
    Py_CLEAR(state->spout_type);
    Py_CLEAR(state->tuple_type);
    Py_CLEAR(state->went_away);
    state_clear(state);
    return 0;
}

static void
module_free(void *module)
{
    struct module_state *state = state_of_module(module);
    if (state != NULL) {
        module_clear(module);
        state_deinit(state);
    }
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030c0000 && !defined Py_LIMITED_API /* one process has one wire */
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,         .m_name = "_stormcell",
    .m_doc = module_doc,           .m_size = sizeof(struct module_state),
    .m_methods = module_methods,   .m_slots = module_slots,
    .m_traverse = module_traverse, .m_clear = module_clear,
    .m_free = module_free,
};

struct module_state *
state_of_type(PyTypeObject *type)
{
    for (;; type = type_base(type)) { /* it is derived from one of ours, so the walk ends there */
        PyObject *module = type_module(type);
        if (module != NULL && PyModule_GetDef(module) == &module_definition) {
            return PyModule_GetState(module);
        }
    }
}

PyMODINIT_FUNC PyInit__stormcell(void);

PyMODINIT_FUNC
PyInit__stormcell(void)
{
    limited_init();
    return PyModuleDef_Init(&module_definition);
}
