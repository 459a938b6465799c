/* What is told of an interpreter that is lost: who it was, how it ended, with what in hand, and where. */
#ifndef STORMCELL_DEATH_H
#define STORMCELL_DEATH_H

#include "arena.h"
#include "buffer.h"

/* Append who it was, how it ended and with what in hand, to be asked before that is put right. `status`
   is waitpid's. */
void death_describe(struct arena *arena, pid_t process, int status, struct buffer *out);

/* The same of one that is to be killed because it hangs. */
void death_describe_hang(struct arena *arena, pid_t process, struct buffer *out);

/* Append where Python stood, if it was written down. */
void death_add_stacks(const struct arena *arena, struct buffer *out);

/* Append printf's text. */
void death_add(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
