/* Starting and stopping Python in this process. The only core-side file besides main.c that sees it. */
#ifndef STORMCELL_HOST_H
#define STORMCELL_HOST_H

#include "arena.h"

/* Run stormcell.run.main([program, component]) in an embedded interpreter and end it.
   Returns the status to exit with; what kept Python from starting is left in the arena's last
   words, for the guardian to report. */
int host_run(struct arena *arena, const char *component);

/* "3.11.2 (static) at /usr/bin/python3": which Python is linked, how, and whose (borrowed). */
const char *host_describe(void);

#endif
