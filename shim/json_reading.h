/* What json_read.c and json_string.c share, for them alone. */
#ifndef STORMCELL_JSON_READING_H
#define STORMCELL_JSON_READING_H

#include "json.h"
#include "json_scan.h"

/* FAULT_JSON: `what` was expected at the reader, and what is there instead. Returns -1. */
int json_wrong(struct json_reader *reader, const char *what);

/* The rest of a string of which all from value->text.ptr to the reader was plain, so far as `high` tells. */
int json_read_string_on(struct json_reader *reader, struct json_value *value, uint64_t high);

/* Read a string; the reader stands behind the opening quote. 0 or -1. */
static inline int
json_read_string(struct json_reader *reader, struct json_value *value)
{
    uint64_t high = 0;
    const char *start = reader->at;
    const char *at = scan_run(start, reader->end, false, &high);
    value->type = JSON_TYPE_STRING;
    value->escaped = false;
    value->ascii = high == 0;
    value->text = (struct slice){start, (size_t)(at - start)};
    reader->at = at;
    if (at < reader->end && *at == '"') { /* most strings have no escapes */
        reader->at++;
        return 0;
    }
    return json_read_string_on(reader, value, high);
}

#endif
