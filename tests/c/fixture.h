/* What many tests need: a place for their input, one for their output, and a fault. */
#ifndef STORMCELL_TESTS_FIXTURE_H
#define STORMCELL_TESTS_FIXTURE_H

#include "guarded.h"
#include "json.h"

/* For one test: */
extern struct guarded memory;
extern struct buffer out;
extern struct fault fault;

void fixture_setup(void);
void fixture_teardown(void);

/* A reader of a copy of `text` in `memory`, whose faults go into `fault`. */
struct json_reader reader_of(struct slice text);

struct slice text_of(const char *string);

void check_slice(struct slice found, struct slice expected);
void check_out(struct slice expected);
void check_fault(enum fault_code code, size_t offset, const char *text);

#endif
