#include "restarts.h"

#include <stdlib.h>

enum { PAUSE_FIRST_MS = 100, PAUSE_MAX_MS = 30 * 1000 };

/* How many of the remembered ones are no older than `since_ms`. */
static size_t
count_since(const struct restarts *restarts, int64_t since_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < restarts->size; i++) {
        count += restarts->times[i] > since_ms;
    }
    return count;
}

/* 100 ms, and four times that with each one before. */
static int64_t
pause_after(size_t before)
{
    int64_t pause = PAUSE_FIRST_MS;
    for (size_t i = 0; i < before && pause < PAUSE_MAX_MS; i++) {
        pause *= 4;
    }
    return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

int64_t
restarts_next(struct restarts *restarts, int64_t max, int64_t within_ms, int64_t now_ms)
{
    if (restarts->times == NULL && max > 0) {
        restarts->size = max < RESTARTS_MOST ? (size_t)max : RESTARTS_MOST;
        restarts->times = malloc(restarts->size * sizeof *restarts->times);
        for (size_t i = 0; restarts->times != NULL && i < restarts->size; i++) {
            restarts->times[i] = INT64_MIN;
        }
    }
    if (restarts->times == NULL) {
        return -1;
    }
    size_t before = count_since(restarts, now_ms - within_ms);
    if (before == restarts->size) {
        return -1;
    }
    restarts->times[restarts->next] = now_ms;
    restarts->next = (restarts->next + 1) % restarts->size;
    return pause_after(before);
}

void
restarts_deinit(struct restarts *restarts)
{
    free(restarts->times);
    *restarts = (struct restarts){0};
}
