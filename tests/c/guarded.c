#include "guarded.h"

#include <sys/mman.h>
#include <unistd.h>

#include "require.h"

char *
guarded_tail(struct guarded *guarded, size_t len)
{
    if (guarded->room < len || guarded->map == NULL) {
        guarded_deinit(guarded);
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t room = (len / page + 1) * page;
        char *map =
            mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(map != MAP_FAILED);
        REQUIRE(mprotect(map + room, page, PROT_NONE) == 0);
        guarded->map = map;
        guarded->room = room;
    }
    return guarded->map + guarded->room - len;
}

struct slice
guarded_put(struct guarded *guarded, struct slice bytes)
{
    char *tail = guarded_tail(guarded, bytes.len);
    if (bytes.len > 0) {
        memcpy(tail, bytes.ptr, bytes.len);
    }
    return (struct slice){tail, bytes.len};
}

void
guarded_deinit(struct guarded *guarded)
{
    if (guarded->map != NULL) {
        REQUIRE(munmap(guarded->map, guarded->room + (size_t)sysconf(_SC_PAGESIZE)) == 0);
    }
    *guarded = (struct guarded){0};
}
