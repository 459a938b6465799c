/* Reserving is free: the memory behind a page comes when it is touched. */
#include "arena.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

enum { HEADER = 64 << 10 };

_Static_assert(sizeof(struct arena) <= HEADER, "the arena's header outgrew its place");

static const size_t region_sizes[ARENA_REGIONS] = {
    [ARENA_INPUT] = 1024 * MIB, [ARENA_HANDSHAKE] = 512 * MIB, [ARENA_OUTPUT] = 1024 * MIB,
    [ARENA_REMARKS] = 4 * MIB,  [ARENA_IDS] = 2 * 1024 * MIB,  [ARENA_ID_TEXTS] = 2 * 256 * MIB,
};

static size_t
region_offset(enum arena_region region)
{
    size_t offset = HEADER;
    for (int i = 0; i < (int)region; i++) {
        offset += region_sizes[i];
    }
    return offset;
}

static int
init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);
    if (error != 0) {
        return error;
    }
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    error = pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return error;
}

static void *
map_shared(int memory, size_t size, bool made, struct fault *fault)
{
    void *mapped = MAP_FAILED;
    if (!made || ftruncate(memory, (off_t)size) == 0) {
        mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory, 0);
    }
    if (mapped == MAP_FAILED) {
        fault_set(fault, FAULT_SYSTEM, 0,
                  "cannot reserve %zu MiB of address space (%s); is `ulimit -%c` set?", size / MIB,
                  strerror(errno), errno == EFBIG ? 'f' : 'v');
        return NULL;
    }
    return mapped;
}

static int
init(struct arena *arena, int memory, struct fault *fault)
{
    int error = init_lock(&arena->lock);
    if (error != 0) {
        return fault_set(fault, FAULT_SYSTEM, 0, "pthread_mutex_init: %s", strerror(error));
    }
    arena->layout = sizeof *arena;
    arena->memory = memory;
    arena->in = arena->out = arena->complaint = arena->bell = arena->stacks = -1;
    arena->torn = -1;
    arena->component.timeout_ms = ARENA_TIMEOUT_MS;
    return 0;
}

struct arena *
arena_new_kept(struct fault *fault)
{
    int memory = memfd_create("stormcell", MFD_CLOEXEC);
    if (memory < 0) {
        fault_errno(fault, "memfd_create");
        return NULL;
    }
    struct arena *arena = map_shared(memory, region_offset(ARENA_REGIONS), true, fault);
    if (arena == NULL || init(arena, memory, fault) < 0) {
        close(memory);
        arena_free(arena);
        return NULL;
    }
    return arena;
}

struct arena *
arena_new(struct fault *fault)
{
    struct arena *arena = arena_new_kept(fault);
    if (arena != NULL) {
        close(arena->memory);
        arena->memory = -1;
    }
    return arena;
}

struct arena *
arena_map(int memory, struct fault *fault)
{
    size_t size = region_offset(ARENA_REGIONS);
    struct stat status;
    if (fstat(memory, &status) < 0) {
        fault_errno(fault, "the memory to share");
        return NULL;
    }
    bool ours = (size_t)status.st_size == size;
    struct arena *arena = ours ? map_shared(memory, size, false, fault) : NULL;
    if (!ours || (arena != NULL && arena->layout != sizeof *arena)) {
        fault_set(fault, FAULT_SYSTEM, 0, "stormcell-shim is of another version than _stormcell");
        arena_free(arena);
        arena = NULL;
    }
    return arena;
}

void
arena_free(struct arena *arena)
{
    if (arena != NULL) {
        munmap(arena, region_offset(ARENA_REGIONS));
    }
}

char *
arena_region(struct arena *arena, enum arena_region region)
{
    return (char *)arena + region_offset(region);
}

size_t
arena_region_size(enum arena_region region)
{
    return region_sizes[region];
}

void
arena_release(struct arena *arena, enum arena_region region, size_t keep)
{
    madvise(arena_region(arena, region) + keep, region_sizes[region] - keep, MADV_REMOVE);
}

void
arena_hide_from_forks(struct arena *arena)
{
    madvise(arena, region_offset(ARENA_REGIONS), MADV_DONTFORK);
}

void
arena_keep_handshake(struct arena *arena, struct slice frame)
{
    memcpy(arena_region(arena, ARENA_HANDSHAKE), frame.ptr, frame.len);
    arena->handshake_len = frame.len;
    arena_order();
    arena->handshaken = true;
    arena_order();
    arena->dealt = arena->input.start;
}

void
arena_last_words(struct arena *arena, struct slice text)
{
    size_t room = sizeof arena->last_words;
    arena->last_words_len = text.len < room ? text.len : room;
    memcpy(arena->last_words, text.ptr, arena->last_words_len);
}
