/* Where tuples come from. A bolt has few sources and hears from one many times in a row, so the last
   one is looked at first; the key is the text on the wire, and str objects are made once. */
#include "pyapi.h"

static bool
source_is(const struct source *source, const struct message *message)
{
    struct slice component = {source->component_text.data, source->component_text.len};
    struct slice stream = {source->stream_text.data, source->stream_text.len};
    return slice_equal(stream, message->stream.text) &&
           slice_equal(component, message->component.text);
}

static void
source_deinit(struct source *source)
{
    buffer_deinit(&source->component_text);
    buffer_deinit(&source->stream_text);
    Py_CLEAR(source->component);
    Py_CLEAR(source->stream);
    Py_CLEAR(source->values_type);
}

/* The str for a name of the envelope, which is there as it was written. */
static PyObject *
interned(struct module_state *state, const struct json_value *name)
{
    struct slice text = name->text;
    state->text.len = 0;
    if (name->escaped) {
        if (json_unescape(text, &state->text, state_fault(state)) < 0) {
            return raise_fault(state, &state->fault);
        }
        text = (struct slice){state->text.data, state->text.len};
    }
    PyObject *string = PyUnicode_DecodeUTF8(text.ptr, (Py_ssize_t)text.len, "surrogatepass");
    if (string != NULL) {
        PyUnicode_InternInPlace(&string);
    }
    return string;
}

/* Ask Python for the class of the values: None for plain tuples, an exception for an unknown stream. */
static int
find_values_type(struct module_state *state, struct source *source)
{
    if (state->values_type_of == NULL) {
        return 0;
    }
    PyObject *type = PyObject_CallFunctionObjArgs(state->values_type_of, source->component,
                                                  source->stream, NULL);
    if (type == NULL || type == Py_None) {
        Py_XDECREF(type);
        return type == NULL ? -1 : 0;
    }
    PyObject *fields = PyObject_GetAttrString(type, "_fields");
    source->field_count = fields != NULL ? PyTuple_Size(fields) : -1;
    Py_XDECREF(fields);
    source->values_type = (PyTypeObject *)type;
    return source->field_count < 0 ? -1 : 0;
}

static int
source_init(struct module_state *state, struct source *source, const struct message *message)
{
    struct fault fault = {0};
    *source = (struct source){0};
    if (buffer_append(&source->component_text, message->component.text, &fault) < 0 ||
        buffer_append(&source->stream_text, message->stream.text, &fault) < 0) {
        raise_fault(state, &fault);
        return -1;
    }
    source->component = interned(state, &message->component);
    source->stream = interned(state, &message->stream);
    if (source->component == NULL || source->stream == NULL) {
        return -1;
    }
    source->tick = slice_equal(message->component.text, SLICE("__system")) &&
                   slice_equal(message->stream.text, SLICE("__tick"));
    return find_values_type(state, source);
}

static const struct source *
source_add(struct module_state *state, const struct message *message)
{
    size_t size = (state->source_count + 1) * sizeof *state->sources;
    struct source *sources = PyMem_Realloc(state->sources, size);
    if (sources == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    state->sources = sources;
    struct source *source = &sources[state->source_count];
    if (source_init(state, source, message) < 0) {
        source_deinit(source);
        return NULL;
    }
    state->last_source = state->source_count++;
    return source;
}

const struct source *
source_of(struct module_state *state, const struct message *message)
{
    if (state->source_count > 0 && source_is(&state->sources[state->last_source], message)) {
        return &state->sources[state->last_source];
    }
    for (size_t i = 0; i < state->source_count; i++) {
        if (source_is(&state->sources[i], message)) {
            state->last_source = i;
            return &state->sources[i];
        }
    }
    return source_add(state, message);
}

void
sources_clear(struct module_state *state)
{
    for (size_t i = 0; i < state->source_count; i++) {
        source_deinit(&state->sources[i]);
    }
    PyMem_Free(state->sources);
    state->sources = NULL;
    state->source_count = 0;
}
