/* How the driver's files give up: one line on stderr, status 1. What exit() runs on the way ends
   the child (child.c). */
#ifndef BENCH_DIE_H
#define BENCH_DIE_H

#include <stdio.h>
#include <stdlib.h>

#define die(...) (fprintf(stderr, "driver: " __VA_ARGS__), fputc('\n', stderr), exit(1))

#endif
