/* The life of a component: handshake, then one tuple or command after another, until Storm goes. */
#include "pyapi.h"

#include "clock.h"

/* ---- starting --------------------------------------------------------------------------- */

PyObject *
run_take_handshake(struct module_state *state)
{
    struct session *session = module_session(state);
    int result;
    if (session == NULL) {
        return NULL;
    }
    while ((result = session_handshake(session, state_fault(state))) == 0) {
        if (session_asked_to_end(session)) {
            return wait_ended(state);
        }
        if (wait_for_storm(state, -1) < 0) {
            return NULL;
        }
    }
    if (result < 0) {
        return raise_fault(state, &state->fault);
    }
    if (!session_has_ackers(session)) {
        Py_XSETREF(state->acked, PyList_New(0));
    }
    const struct handshake *handshake = session_topology(session);
    PyObject *conf = convert_json(state, handshake->conf);
    PyObject *context = conf != NULL ? convert_json(state, handshake->context) : NULL;
    if (context == NULL) {
        Py_XDECREF(conf);
        return NULL;
    }
    return Py_BuildValue("(NN)", conf, context);
}

PyObject *
run_handshake(PyObject *module, PyObject *unused)
{
    (void)unused;
    return run_take_handshake(state_of_module(module));
}

PyObject *
run_answer(PyObject *module, PyObject *unused)
{
    struct module_state *state = state_of_module(module);
    (void)unused;
    if (module_session(state) == NULL) {
        return NULL;
    }
    if (session_answer(state->session, state_fault(state)) < 0) {
        return raise_fault(state, &state->fault);
    }
    Py_RETURN_NONE;
}

/* ---- what serves ------------------------------------------------------------------------ */

/* An exception of user code: the component's own Python reports it and fails the tuple.
   0: go on, -1: it is not for us (an exit), or the report failed and is an exception itself. */
static int
run_failed(struct runner *runner, PyObject *tuple)
{
    PyObject *type;
    PyObject *exception;
    PyObject *traceback;
    if (PyErr_ExceptionMatches(PyExc_SystemExit) ||
        PyErr_ExceptionMatches(runner->state->went_away) ||
        PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        return -1;
    }
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(exception, traceback);
    }
    PyObject *exits = PyObject_CallFunctionObjArgs(runner->on_exception, exception,
                                                   tuple != NULL ? tuple : Py_None, NULL);
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
    runner->exiting = exits != NULL && PyObject_IsTrue(exits) == 1;
    Py_XDECREF(exits);
    return exits == NULL ? -1 : 0;
}

/* ---- a bolt's tuple --------------------------------------------------------------------- */

/* Acked unless user code settled it. */
static int
ack_if_live(struct runner *runner, PyObject *tuple, struct tuple_id id)
{
    struct session *session = runner->state->session;
    if (!session_is_live(session, id)) {
        return 0;
    }
    if (runner->ack != NULL) {
        PyObject *result = PyObject_CallOneArg(runner->ack, tuple);
        Py_XDECREF(result);
        return result != NULL ? 0 : run_failed(runner, tuple);
    }
    if (session_ack(session, id, state_fault(runner->state)) < 0) {
        raise_fault(runner->state, &runner->state->fault);
        return -1;
    }
    return 0;
}

static int
process_tuple(struct runner *runner, const struct source *source, PyObject *tuple)
{
    PyObject *method = source->tick ? runner->process_tick : runner->process;
    struct tuple_id id;
    bool tick = source->tick; /* `source` may move while user code runs */
    PyObject *result = method != NULL ? PyObject_CallOneArg(method, tuple) : Py_NewRef(Py_None);
    if (result == NULL && run_failed(runner, tuple) < 0) {
        return -1;
    }
    bool done =
        (result != NULL && runner->auto_ack) || tick; /* Storm keeps an unsettled tick for ever */
    Py_XDECREF(result);
    return done && tuple_id_of(runner->state, tuple, &id) == 0 ? ack_if_live(runner, tuple, id) : 0;
}

/* A tuple that could not even be made: reported, and failed so that it is not lost. Its id is copied,
   since user code may run in the report and the message is not kept over that. */
static int
unreadable_tuple(struct runner *runner, const struct message *message)
{
    struct session *session = runner->state->session;
    struct fault fault = {0};
    char text[256]; /* no id is longer but in bad dreams; the rest of one would not be found live */
    struct tuple_id id = session_tuple_id(session, &message->id, &fault);
    size_t len = id.text.len < sizeof text ? id.text.len : sizeof text;
    memcpy(text, id.text.ptr != NULL ? id.text.ptr : "", len);
    if (run_failed(runner, NULL) < 0) {
        return -1;
    }
    id = tuple_id_parse((struct slice){text, len});
    if (session_is_live(session, id) && session_fail(session, id, &fault) < 0) {
        raise_fault(runner->state, &fault);
        return -1;
    }
    return 0;
}

/* What was read by its ends alone may be another message than it seemed, or none: read it strictly. */
static PyObject *
make_strictly(struct module_state *state, struct slice frame, const struct source **source,
              struct tuple_id id)
{
    struct message message;
    PyErr_Clear();
    if (message_decode_strictly(frame, &message, state_fault(state)) < 0) {
        return raise_fault(state, &state->fault);
    }
    if (message.kind != MESSAGE_TUPLE) {
        PyErr_SetString(PyExc_ValueError, "a message that is a tuple and something else");
        return NULL;
    }
    *source = source_of(state, &message);
    return *source != NULL ? tuple_from_message(state, &message, *source, id) : NULL;
}

static PyObject *
make_tuple(struct runner *runner, const struct message *message, const struct source **source)
{
    struct module_state *state = runner->state;
    struct tuple_id id = session_tuple_id(state->session, &message->id, state_fault(state));
    if (state->fault.code != FAULT_NONE ||
        session_hand_out(state->session, id, state_fault(state)) < 0) {
        return raise_fault(state, &state->fault);
    }
    *source = source_of(state, message);
    PyObject *tuple = *source != NULL ? tuple_from_message(state, message, *source, id) : NULL;
    return tuple == NULL && state->fault.code == FAULT_JSON && message->unchecked.ptr != NULL
               ? make_strictly(state, message->unchecked, source, id)
               : tuple;
}

static int
handle_tuple(struct runner *runner, const struct message *message)
{
    const struct source *source;
    if (message->kind != MESSAGE_TUPLE) {
        PyErr_SetString(PyExc_RuntimeError, "a bolt got a command for spouts: is it declared as a "
                                            "spout in the topology?");
        return -1;
    }
    PyObject *tuple = make_tuple(runner, message, &source);
    if (tuple == NULL) {
        return unreadable_tuple(runner, message);
    }
    Py_XSETREF(runner->component->current, Py_NewRef(tuple));
    int result = process_tuple(runner, source, tuple);
    Py_CLEAR(runner->component->current);
    tuple_retire(runner->state, tuple);
    return result;
}

/* ---- a spout's command ------------------------------------------------------------------ */

static PyObject *
call_command(struct runner *runner, PyObject *method, const struct message *message)
{
    if (message->kind != MESSAGE_ACK && message->kind != MESSAGE_FAIL) {
        return PyObject_CallNoArgs(method);
    }
    PyObject *id = convert_json(runner->state, message->values);
    PyObject *result = id != NULL ? PyObject_CallOneArg(method, id) : NULL;
    Py_XDECREF(id);
    return result;
}

/* Without ackers, Storm calls a spout's ack() from within the emit, one call in the other, until its stack
   is full (SpoutOutputCollectorImpl). So the ids are kept here, and what they are due is done behind
   the command; those that come up meanwhile wait for the next one. */
static int
ack_at_once(struct runner *runner)
{
    struct module_state *state = runner->state;
    PyObject *ack = runner->commands[MESSAGE_ACK];
    if (state->acked == NULL || PyList_GET_SIZE(state->acked) == 0) {
        return 0;
    }
    PyObject *ids = state->acked;
    state->acked = PyList_New(0);
    int result = state->acked != NULL ? 0 : -1;
    for (Py_ssize_t i = 0; ack != NULL && result == 0 && i < PyList_GET_SIZE(ids); i++) {
        PyObject *done = PyObject_CallOneArg(ack, PyList_GET_ITEM(ids, i));
        Py_XDECREF(done);
        result = done != NULL ? 0 : run_failed(runner, NULL);
    }
    Py_DECREF(ids);
    return result;
}

static int
handle_command(struct runner *runner, const struct message *message)
{
    if (message->kind == MESSAGE_TUPLE) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a spout got a tuple: is it declared as a bolt in the topology?");
        return -1;
    }
    PyObject *method = runner->commands[message->kind];
    if (method != NULL) {
        PyObject *result = call_command(runner, method, message);
        Py_XDECREF(result);
        if (result == NULL && run_failed(runner, NULL) < 0) {
            return -1;
        }
    }
    if (ack_at_once(runner) < 0) {
        return -1;
    }
    if (session_sync(runner->state->session, state_fault(runner->state)) < 0) {
        raise_fault(runner->state, &runner->state->fault);
        return -1;
    }
    return 0;
}

/* ---- the loop --------------------------------------------------------------------------- */

/* How long a wait may take before the timer is due. */
static int
until_timer_ms(const struct runner *runner)
{
    if (runner->period_ns == 0) {
        return -1;
    }
    int64_t left = runner->next_ns - clock_ns();
    return left <= 0 ? 0 : (int)(left / 1000000 < 60000 ? left / 1000000 + 1 : 60000);
}

int
run_on_timer(struct runner *runner)
{
    PyObject *result = PyObject_CallNoArgs(runner->on_timer);
    Py_XDECREF(result);
    return result != NULL ? 0 : run_failed(runner, NULL);
}

static int
run_timer(struct runner *runner)
{
    if (runner->period_ns == 0 || clock_ns() < runner->next_ns) {
        return 0;
    }
    int result = run_on_timer(runner);
    runner->next_ns = clock_ns() + runner->period_ns;
    return result;
}

/* One message or one wait. 1: go on, 0: the end, -1. */
static int
run_step(struct runner *runner)
{
    struct session *session = runner->state->session;
    struct message message;
    int got = session_asked_to_end(session)
                  ? 0
                  : session_next(session, &message, state_fault(runner->state));
    if (got == 0) {
        if (session_ended(session)) {
            return 0;
        }
        return wait_for_storm(runner->state, until_timer_ms(runner)) < 0 ? -1 : 1;
    }
    if (got < 0) {
        raise_fault(runner->state, &runner->state->fault);
        return -1;
    }
    if (runner->handle(runner, &message) < 0) {
        return -1;
    }
    if (session_breathe(session, state_fault(runner->state)) < 0) {
        raise_fault(runner->state, &runner->state->fault);
        return -1;
    }
    return 1;
}

PyObject *
run_loop(struct runner *runner)
{
    int result = 1;
    while (result > 0 && !runner->exiting) {
        result = run_step(runner);
        if (result > 0 && run_timer(runner) < 0) {
            result = -1;
        }
    }
    if (result < 0 && PyErr_ExceptionMatches(runner->state->went_away)) {
        PyErr_Clear(); /* nobody is left to tell */
        result = 0;
    }
    return result < 0 ? NULL : PyBool_FromLong(!runner->exiting);
}

static PyObject *
or_null(PyObject *object)
{
    return object == Py_None ? NULL : object;
}

/* The component's own, which in a test is not the module's. */
static struct session *
find_session(struct runner *runner)
{
    runner->state = component_state((PyObject *)runner->component);
    return module_session(runner->state);
}

PyObject *
run_serve_bolt(PyObject *module, PyObject *args)
{
    struct runner runner = {.state = state_of_module(module), .handle = handle_tuple};
    PyObject *values_type_of;
    PyObject *on_timer;
    int auto_ack;
    int auto_anchor;
    double period;
    if (!PyArg_ParseTuple(args, "O!OOOOppOdO:serve_bolt", runner.state->bolt_type,
                          &runner.component, &runner.on_exception, &runner.process,
                          &runner.process_tick, &runner.ack, &auto_ack, &auto_anchor, &on_timer,
                          &period, &values_type_of) ||
        find_session(&runner) == NULL) {
        return NULL;
    }
    runner.process_tick = or_null(runner.process_tick);
    runner.ack = or_null(runner.ack);
    runner.auto_ack = auto_ack;
    runner.component->auto_anchor = auto_anchor;
    Py_XSETREF(runner.state->values_type_of, Py_NewRef(values_type_of));
    if (on_timer != Py_None) {
        runner.on_timer = on_timer;
        runner.period_ns = (int64_t)(period * 1e9) + 1;
        runner.next_ns = clock_ns() + runner.period_ns;
    }
    session_serve(runner.state->session, false);
    return runner.state->loopback != NULL ? loopback_keep(runner.state->loopback, &runner, args)
                                          : run_loop(&runner);
}

/* A spout that Storm activated before, in the days of an earlier interpreter, is so from the start. */
static int
resume(struct runner *runner)
{
    PyObject *activate = runner->commands[MESSAGE_ACTIVATE];
    if (activate == NULL || !session_is_active(runner->state->session)) {
        return 0;
    }
    PyObject *result = PyObject_CallNoArgs(activate);
    Py_XDECREF(result);
    return result != NULL ? 0 : run_failed(runner, NULL);
}

PyObject *
run_serve_spout(PyObject *module, PyObject *args)
{
    struct runner runner = {.state = state_of_module(module), .handle = handle_command};
    PyObject **commands = runner.commands;
    if (!PyArg_ParseTuple(args, "O!OOOOOO:serve_spout", runner.state->spout_type, &runner.component,
                          &runner.on_exception, &commands[MESSAGE_NEXT], &commands[MESSAGE_ACK],
                          &commands[MESSAGE_FAIL], &commands[MESSAGE_ACTIVATE],
                          &commands[MESSAGE_DEACTIVATE]) ||
        find_session(&runner) == NULL) {
        return NULL;
    }
    for (int kind = MESSAGE_NEXT; kind <= MESSAGE_DEACTIVATE; kind++) {
        commands[kind] = or_null(commands[kind]);
    }
    session_serve(runner.state->session, true);
    if (runner.state->loopback != NULL) {
        return loopback_keep(runner.state->loopback, &runner, args);
    }
    return resume(&runner) < 0 ? NULL : run_loop(&runner);
}
