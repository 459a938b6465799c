/* Memory without which the engine cannot go on. */
#ifndef STORMCELL_LOCAL_MEMORY_H
#define STORMCELL_LOCAL_MEMORY_H

#include <stddef.h>

#include "buffer.h"

/* End the engine with a word; its components end by themselves then. */
_Noreturn void out_of_memory(void);

/* So many zeroed ones of this size (owned by the caller, for free()), or the end. */
void *need_memory(size_t count, size_t size);

/* Room for so many bytes behind what is in the buffer (borrowed until its next change), or the end. */
char *need_room(struct buffer *buffer, size_t bytes);

#endif
