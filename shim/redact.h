/* Secrets stay out of what is written to disk. */
#ifndef STORMCELL_REDACT_H
#define STORMCELL_REDACT_H

#include <jansson.h>

/* Replace what looks like a secret in `conf` (borrowed, changed in place), in maps and lists too: each
   text becomes "***" and each number 0 where a key says that it is one (docs/recording.md lists the
   words), and a text that holds a password itself (a URL, an option). Keys and types stay. */
void redact(json_t *conf);

#endif
