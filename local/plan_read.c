#include "plan_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct place
place_in(const struct place *outer, const char *what, const char *name)
{
    return (struct place){outer, what, name, outer->fault};
}

static size_t
write_place(const struct place *place, char *text, size_t size)
{
    size_t len = place->outer == NULL ? 0 : write_place(place->outer, text, size);
    int more = place->name == NULL
                   ? snprintf(text + len, size - len, "%s: ", place->what)
                   : snprintf(text + len, size - len, "%s \"%s\": ", place->what, place->name);
    len += more > 0 ? (size_t)more : 0;
    return len < size ? len : size - 1;
}

/* A name in the plan may be any text, what is said of it is one line. */
static void
make_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ') {
            *text = ' ';
        }
    }
}

int
place_fault(const struct place *place, const char *format, ...)
{
    char where[256];
    char what[512];
    va_list args;
    write_place(place, where, sizeof where);
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    make_one_line(where);
    make_one_line(what);
    return fault_set(place->fault, FAULT_MESSAGE, 0, "%s%s", where, what);
}

static bool
is_among(const char *const *keys, const char *key)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(*keys, key) == 0) {
            return true;
        }
    }
    return false;
}

int
place_keys(const struct place *place, const json_t *object, const char *const *keys)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        return place_fault(place, "is no object");
    }
    json_object_foreach ((json_t *)object, key, value) {
        if (!is_among(keys, key)) {
            return place_fault(place, "there is no key \"%s\"", key);
        }
    }
    return 0;
}

int
place_text(const struct place *place, const json_t *object, const char *key, const char **text)
{
    const json_t *value = json_object_get(object, key);
    *text = json_string_value(value);
    return *text == NULL || **text == '\0'
               ? place_fault(place, "\"%s\" is missing, or no text", key)
               : 0;
}

int
place_texts(const struct place *place, const char *key, const json_t *array)
{
    if (!json_is_array(array)) {
        return place_fault(place, "\"%s\" is missing, or no array of texts", key);
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!json_is_string(json_array_get(array, i))) {
            return place_fault(place, "\"%s\"[%zu] is no text", key, i);
        }
    }
    return 0;
}

int
place_bool(const struct place *place, const json_t *object, const char *key, bool *value)
{
    const json_t *member = json_object_get(object, key);
    *value = json_is_true(member);
    return member == NULL || json_is_boolean(member)
               ? 0
               : place_fault(place, "\"%s\" is neither true nor false", key);
}

int
place_number(const struct place *place, const json_t *object, const char *key, double otherwise,
             double *number)
{
    const json_t *member = json_object_get(object, key);
    bool absent = member == NULL || json_is_null(member);
    *number = absent ? otherwise : json_number_value(member);
    return absent || json_is_number(member) ? 0 : place_fault(place, "\"%s\" is no number", key);
}
