/* The one place where a fault of the core, or the lack of a session, becomes a Python exception. */
#include "pyapi.h"

static PyObject *
exception_of(const struct module_state *state, enum fault_code code)
{
    switch (code) {
    case FAULT_GONE:
        return state->went_away;
    case FAULT_FORKED:
        return PyExc_RuntimeError;
    case FAULT_SYSTEM:
        return PyExc_OSError;
    case FAULT_LIMIT:
        return PyExc_OverflowError;
    case FAULT_NONE:
    case FAULT_JSON:
    case FAULT_MESSAGE:
    case FAULT_HANDSHAKE:
    case FAULT_ID:
    case FAULT_STREAM:
        break;
    }
    return PyExc_ValueError;
}

PyObject *
raise_fault(struct module_state *state, const struct fault *fault)
{
    PyErr_SetString(exception_of(state, fault->code), fault->text);
    return NULL;
}

struct session *
module_session(struct module_state *state)
{
    if (state->session == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "there is no Storm on the other side: this works in a component that "
                        "stormcell-shim runs");
    }
    if (state->session != NULL && session_is_cut_off(state->session)) {
        session_forked(state_fault(state));
        raise_fault(state, &state->fault);
        return NULL;
    }
    return state->session;
}
