/* Where the process waits for Storm: to send more, to take more, or to answer with task ids.
   The GIL is released here and nowhere else, so a batch of tuples runs without giving it up. */
#include "pyapi.h"

#include <time.h>

int
wait_for_storm(struct module_state *state, int timeout_ms)
{
    struct fault fault = {0}; /* its own: other threads use the state's meanwhile */
    int result = session_flush(state->session, &fault);
    if (result >= 0) {
        Py_BEGIN_ALLOW_THREADS result = session_wait(state->session, timeout_ms, &fault);
        Py_END_ALLOW_THREADS
    }
    if (result < 0) {
        raise_fault(state, &fault);
        return -1;
    }
    return PyErr_CheckSignals();
}

int
wait_beside(struct module_state *state)
{
    struct timespec moment = {.tv_nsec = 1000 * 1000};
    if (session_flush(state->session, state_fault(state)) < 0) {
        raise_fault(state, &state->fault);
        return -1;
    }
    Py_BEGIN_ALLOW_THREADS nanosleep(&moment, NULL);
    Py_END_ALLOW_THREADS return 0;
}

PyObject *
wait_ended(struct module_state *state)
{
    PyErr_SetString(state->went_away, "Storm has closed the wire, or asked this process to end");
    return NULL;
}

PyObject *
wait_for_task_ids(struct module_state *state)
{
    struct slice ids;
    if (state->loopback != NULL && loopback_ask_task_ids(state->loopback) < 0) {
        return NULL;
    }
    int found = session_answer(state->session, state_fault(state)); /* Storm must be listening */
    while (found >= 0 &&
           (found = session_task_ids(state->session, &ids, state_fault(state))) == 0) {
        if (session_ended(state->session)) {
            return wait_ended(state);
        }
        if (wait_for_storm(state, -1) < 0) {
            return NULL;
        }
    }
    return found < 0 ? raise_fault(state, &state->fault) : convert_json(state, ids);
}
