/* JSON without a tree: a pull reader over a span and a writer into a buffer.

   The reader hands out one value at a time. For an array or object the caller asks for its
   members in turn, so nesting is the caller's own recursion, bounded by JSON_DEPTH_MAX; the
   reader itself keeps no stack and allocates nothing. It accepts what Storm's JVM writes:
   RFC 8259, and the bare words NaN, Infinity and -Infinity (json-smart writes NaN as such). */
#ifndef STORMCELL_JSON_H
#define STORMCELL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"

enum {
    JSON_DEPTH_MAX = 1000,      /* of what is read */
    JSON_WRITE_DEPTH_MAX = 390, /* of what is written: json-smart refuses more than 400 */
    JSON_DOUBLE_ROOM = 40       /* what json_write_double() may write to, 24 of it to stay */
};

enum json_type {
    JSON_TYPE_NULL,
    JSON_TYPE_TRUE,
    JSON_TYPE_FALSE,
    JSON_TYPE_INT,    /* fits int64_t: in `number` */
    JSON_TYPE_BIGINT, /* an integer past 64 bits: its digits in `text` */
    JSON_TYPE_FLOAT,  /* with a fraction or an exponent: in `text`, for json_double() */
    JSON_TYPE_NAN,
    JSON_TYPE_INF, /* its sign in `number`: 1 or -1 */
    JSON_TYPE_STRING,
    JSON_TYPE_ARRAY, /* the reader stands behind the bracket */
    JSON_TYPE_OBJECT
};

struct json_value {
    enum json_type type;
    bool escaped;   /* the string has escapes, and may hold lone surrogates */
    bool ascii;     /* `text` is known to have no byte over 127 */
    bool long_text; /* the float has more than 19 digits, so `digits` is none of them */
    union {
        int64_t number;
        uint64_t digits; /* of a float, without its sign */
    };
    int64_t power; /* of ten, which a float's digits are to be multiplied with */
    struct slice
        text; /* of a string: between the quotes; borrowed from the span as it is written, or
                          unescaped from the reader's buffer until the next string is read */
};

struct json_reader {
    const char *start;
    const char *at;
    const char *end;
    struct fault *fault; /* FAULT_JSON with the offset from `start` */
    struct buffer
        *unescaped; /* where strings with escapes are unescaped as they are read, or NULL: then
                                 json_unescape() does it afterwards */
};

static inline struct json_reader
json_reader(struct slice text, struct fault *fault)
{
    return (struct json_reader){text.ptr, text.ptr, text.ptr + text.len, fault, NULL};
}

/* Pass over `text` if it stands at the reader. */
static inline bool
json_take(struct json_reader *reader, struct slice text)
{
    if ((size_t)(reader->end - reader->at) < text.len ||
        memcmp(reader->at, text.ptr, text.len) != 0) {
        return false;
    }
    reader->at += text.len;
    return true;
}

/* Read the next value, of an array or object just its bracket. 0 or -1. */
int json_read(struct json_reader *reader, struct json_value *value);

/* Step to the next element of the array that the reader is in; `first` before the first one.
   1: json_read() gives it, 0: the array has ended, -1. */
int json_element(struct json_reader *reader, bool first);

/* Step to the next member of the object that the reader is in and read its key.
   1: json_read() gives the member's value, 0: the object has ended, -1. */
int json_member(struct json_reader *reader, bool first, struct json_value *key);

/* Pass over one whole value and give its text (borrowed). Brackets and strings are matched, the
   inside is checked no further than that. 0 or -1. */
int json_skip(struct json_reader *reader, struct slice *text);

/* Nothing but white space is left. 0 or -1. */
int json_finish(struct json_reader *reader);

/* The double that a JSON_TYPE_FLOAT stands for, correctly rounded. False, if rarely, where that takes
   a full parser, which then has to be asked. */
bool json_double(const struct json_value *value, double *number);

/* Append the UTF-8 that an escaped string's text stands for. A lone surrogate becomes its three
   bytes (as Python's "surrogatepass" reads them). `text` has passed json_read(). 0 or -1. */
int json_unescape(struct slice text, struct buffer *out, struct fault *fault);

/* Append a quoted string. `utf8` is valid UTF-8 without surrogates. 0 or -1. */
int json_write_string(struct buffer *out, struct slice utf8, struct fault *fault);

/* Append a quoted string of any bytes: what is not UTF-8 becomes U+FFFD. 0 or -1. */
int json_write_bytes(struct buffer *out, struct slice bytes, struct fault *fault);

/* Append an integer. 0 or -1. */
int json_write_int(struct buffer *out, int64_t number, struct fault *fault);

/* Append a finite double in the fewest digits that are read as the same double, and of those the
   nearest, as Python's repr() does. It wants JSON_DOUBLE_ROOM bytes of room. 0 or -1. */
int json_write_double(struct buffer *out, double number, struct fault *fault);

/* The length of the valid UTF-8 (without surrogates) at the start of `bytes`. */
size_t json_utf8_length(struct slice bytes);

#endif
