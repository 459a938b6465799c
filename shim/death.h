/* What is told of an interpreter that is lost: who it was, how it ended, with what in hand, and where. */
#ifndef STORMCELL_DEATH_H
#define STORMCELL_DEATH_H

#include "arena.h"
#include "buffer.h"

/* Append it to `out`. `status` is waitpid's; `cause` says what is not in it, or is NULL. To be asked
   before anything is put right. */
void death_describe(struct arena *arena, pid_t process, int status, const char *cause,
                    struct buffer *out);

/* Append printf's text. */
void death_add(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
