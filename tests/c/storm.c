#include "storm.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "require.h"

static void
open_pipe(int *reading, int *writing, int room)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    REQUIRE(room == 0 || fcntl(ends[1], F_SETPIPE_SZ, room) >= room);
    *reading = ends[0];
    *writing = ends[1];
}

void
storm_start(struct storm *storm, int room)
{
    *storm = (struct storm){.arena = arena_new(NULL)};
    REQUIRE(storm->arena != NULL);
    storm->arena->guardian = getpid();
    open_pipe(&storm->arena->in, &storm->say, 0);
    open_pipe(&storm->hear, &storm->arena->out, room);
}

void
storm_say(struct storm *storm, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(storm->say, bytes.ptr, bytes.len);
        REQUIRE(n > 0);
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
}

static void
close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void
storm_hang_up(struct storm *storm)
{
    close_one(&storm->say);
}

void
storm_turn_away(struct storm *storm)
{
    close_one(&storm->hear);
}

size_t
storm_hear(struct storm *storm)
{
    size_t before = storm->heard.len;
    for (;;) {
        char *room = buffer_room(&storm->heard, 4096, NULL);
        REQUIRE(room != NULL);
        ssize_t n = read(storm->hear, room, 4096);
        if (n <= 0) {
            REQUIRE(n == 0 || errno == EAGAIN);
            return storm->heard.len - before;
        }
        storm->heard.len += (size_t)n;
    }
}

struct slice
storm_heard(struct storm *storm)
{
    storm_hear(storm);
    return (struct slice){storm->heard.data, storm->heard.len};
}

void
storm_end(struct storm *storm)
{
    close_one(&storm->say);
    close_one(&storm->hear);
    close_one(&storm->arena->in);
    close_one(&storm->arena->out);
    buffer_deinit(&storm->heard);
    arena_free(storm->arena);
}
