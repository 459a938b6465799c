#include "stacks.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 20,    /* how often it is looked whether they are complete */
    LOOKS_MAX = 50,  /* and how often at most */
    KEEP = 16 << 10, /* bytes of stacks in a report */
};

int
stacks_open(struct fault *fault)
{
    int fd = memfd_create("stormcell-stacks", MFD_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0) {
        return fault_errno(fault, "memfd_create");
    }
    return fd;
}

static off_t
size_of(int stacks)
{
    struct stat status;
    return fstat(stacks, &status) == 0 ? status.st_size : 0;
}

/* The mask of signals that a process has handlers for (proc(5)); 0 where it cannot be told. */
static uint64_t
caught_signals(pid_t process)
{
    char line[256];
    unsigned long long mask = 0;
    snprintf(line, sizeof line, "/proc/%d/status", (int)process);
    FILE *file = fopen(line, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "SigCgt: %llx", &mask) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return mask;
}

void
stacks_ask(int stacks, pid_t process)
{
    const struct timespec moment = {.tv_nsec = LOOK_MS * 1000 * 1000};
    uint64_t bit = UINT64_C(1) << (STACKS_SIGNAL - 1);
    off_t before = size_of(stacks);
    if ((caught_signals(process) & bit) == 0 || kill(process, STACKS_SIGNAL) < 0) {
        return;
    }
    off_t size = before;
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        off_t last = size;
        nanosleep(&moment, NULL);
        size = size_of(stacks);
        if (size > before && size == last) {
            break; /* it writes a line after the other without a rest */
        }
    }
}

void
stacks_take(int stacks, struct buffer *out)
{
    off_t size = size_of(stacks);
    size_t want = size < KEEP ? (size_t)size : KEEP;
    char *room = buffer_room(out, want, NULL);
    ssize_t n = room != NULL && want > 0 ? pread(stacks, room, want, 0) : 0;
    while (n > 0 && room[n - 1] == '\n') {
        n--;
    }
    out->len += n > 0 ? (size_t)n : 0;
    if (size > KEEP) {
        buffer_append(out, SLICE("\n... the rest is cut"), NULL);
    }
    (void)!ftruncate(stacks, 0);
}
