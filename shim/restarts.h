/* How often a lost interpreter is replaced, and after which pause. */
#ifndef STORMCELL_RESTARTS_H
#define STORMCELL_RESTARTS_H

#include <stddef.h>
#include <stdint.h>

enum { RESTARTS_MOST = 10000 }; /* a larger `max` is taken for this */

/* {0}: none yet. */
struct restarts {
    int64_t *times; /* of the last ones, a ring */
    size_t size;
    size_t next;
};

/* Another one at `now_ms`: the pause before it, ms, longer with each one within `within_ms`; or -1: there
   have been `max` of them within that time, or no memory is left. */
int64_t restarts_next(struct restarts *restarts, int64_t max, int64_t within_ms, int64_t now_ms);

void restarts_deinit(struct restarts *restarts);

#endif
