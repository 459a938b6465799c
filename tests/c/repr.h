/* Doubles and their texts by trying, with the C library's own conversions: what the codec's are held
   to. */
#ifndef STORMCELL_TESTS_REPR_H
#define STORMCELL_TESTS_REPR_H

#include <stdbool.h>

#include "json.h"

enum { REPR_ROOM = 64 };

/* The text that Python's repr() gives for a finite double. Returns `text`. */
char *repr(double number, char text[REPR_ROOM]);

/* What strtod makes of a float's text. */
double repr_read(struct slice text);

/* True if json_double() decides on `value`; what it decides is strtod's answer, to the bit. */
bool repr_decided(const struct json_value *value);

/* The same bits: -0.0 is not 0.0. */
bool repr_same(double a, double b);

#endif
