/* Where a recording is kept: <stormcell.record>/<component>-<task>.rec, and what was full before it
   in <the same>.1. It belongs to one process at a time, which holds a lock on it. */
#include "record.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "redact.h"
#include "wire.h"

static const char DIRECTORY_KEY[] = "stormcell.record";
static const char BYTES_KEY[] = "stormcell.record.max.bytes";
static const int64_t BYTES_DEFAULT = 64 << 20;

/* The first line of a recording; behind a blank line, which ends a record that was cut. */
static const struct slice MAGIC = SLICE("stormcell recording 1\n");

enum { HEAD_ROOM = 64 }; /* a record is its message, and at most so much more */

struct record {
    int fd;              /* -1: there is no file at the moment */
    size_t size;         /* of the file, bytes */
    size_t introduction; /* how large it was before the first message behind the handshake */
    size_t most;
    char *handshake; /* JSON, without secrets; by malloc */
    char path[PATH_MAX];
};

/* ---- settings --------------------------------------------------------------------------- */

bool
record_is_wanted(const struct handshake *handshake)
{
    const json_t *directory = handshake_setting(handshake, DIRECTORY_KEY);
    return directory != NULL && !json_is_null(directory);
}

static int
read_most(struct record *record, const struct handshake *handshake, struct fault *fault)
{
    const json_t *most = handshake_setting(handshake, BYTES_KEY);
    int64_t bytes = most == NULL || json_is_null(most) ? BYTES_DEFAULT : json_integer_value(most);
    record->most = (size_t)bytes;
    return bytes > 0 ? 0
                     : fault_set(fault, FAULT_HANDSHAKE, 0,
                                 "%s must be a whole number of bytes, at least 1", BYTES_KEY);
}

/* Letters, digits and some marks may stand in a file's name, but no leading dot. */
static void
make_safe(char *name)
{
    for (char *at = name; *at != '\0'; at++) {
        bool fits =
            isalnum((unsigned char)*at) || strchr("_-", *at) != NULL || (*at == '.' && at > name);
        *at = fits ? *at : '_';
    }
}

/* What a relative path starts from, with a slash behind it; "" for an absolute one. Later on the component
   may have gone elsewhere. */
static void
read_base(const char *directory, char *base, size_t size)
{
    if (*directory == '/' || getcwd(base, size - 1) == NULL) {
        *base = '\0';
    } else {
        strcat(base, "/");
    }
}

static int
read_path(struct record *record, const struct handshake *handshake, struct fault *fault)
{
    char name[100];
    char base[PATH_MAX];
    const char *directory = json_string_value(handshake_setting(handshake, DIRECTORY_KEY));
    if (directory == NULL || *directory == '\0') {
        return fault_set(fault, FAULT_HANDSHAKE, 0, "%s must be the path of a directory",
                         DIRECTORY_KEY);
    }
    snprintf(name, sizeof name, "%s", handshake->component);
    make_safe(name);
    read_base(directory, base, sizeof base);
    int len = snprintf(record->path, sizeof record->path, "%s%s/%s-%lld.rec", base, directory, name,
                       (long long)handshake->task);
    return len < (int)sizeof record->path
               ? 0
               : fault_set(fault, FAULT_HANDSHAKE, 0, "%s is longer than a path may be",
                           DIRECTORY_KEY);
}

static int
no_memory(struct fault *fault)
{
    return fault_set(fault, FAULT_SYSTEM, 0, "no memory for the recording");
}

static int
read_handshake(struct record *record, const struct handshake *handshake, struct fault *fault)
{
    json_t *root = json_deep_copy(handshake->root);
    redact(json_object_get(root, "conf"));
    record->handshake = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return record->handshake != NULL ? 0 : no_memory(fault);
}

/* ---- the file --------------------------------------------------------------------------- */

static int
cannot(const struct record *record, const char *why, struct fault *fault)
{
    return fault_set(fault, FAULT_SYSTEM, 0, "%s: %s", record->path, why);
}

/* The directories that the path leads through. What cannot be made, opening the file will tell. */
static void
make_directories(const struct record *record)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", record->path);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* Is it this process's to append to? */
static int
check_file(struct record *record, struct fault *fault)
{
    char start[64] = "";
    struct stat status;
    if (fstat(record->fd, &status) < 0) {
        return cannot(record, strerror(errno), fault);
    }
    if (!S_ISREG(status.st_mode)) {
        return cannot(record, "it is no regular file", fault);
    }
    if (flock(record->fd, LOCK_EX | LOCK_NB) < 0) {
        bool taken = errno == EWOULDBLOCK;
        return cannot(record, taken ? "another process records to it" : strerror(errno), fault);
    }
    record->size = (size_t)status.st_size;
    ssize_t n = pread(record->fd, start, MAGIC.len, 0);
    return n == 0 || slice_equal((struct slice){start, n > 0 ? (size_t)n : 0}, MAGIC)
               ? 0
               : cannot(record, "something else is in the file", fault);
}

/* A link that somebody laid there is not followed, and a pipe not waited for. */
static int
open_file(struct record *record, struct fault *fault)
{
    int fd =
        open(record->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) {
        return cannot(record, errno == ELOOP ? "it is a symbolic link" : strerror(errno), fault);
    }
    record->fd = wire_move_away(fd, fault);
    return record->fd < 0 ? -1 : check_file(record, fault);
}

/* Put a full file aside, in the place of the one before, and begin anew. */
static int
set_aside(struct record *record, struct fault *fault)
{
    char aside[PATH_MAX + 2];
    snprintf(aside, sizeof aside, "%s.1", record->path);
    if (rename(record->path, aside) < 0) {
        return cannot(record, strerror(errno), fault);
    }
    close(record->fd);
    record->fd = -1;
    return open_file(record, fault);
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Step over the `n` bytes that are written. */
static void
advance(struct iovec **parts, int *count, size_t n)
{
    while (*count > 0 && n >= (*parts)->iov_len) {
        n -= (*parts)->iov_len;
        (*parts)++;
        (*count)--;
    }
    if (*count > 0) {
        (*parts)->iov_base = (char *)(*parts)->iov_base + n;
        (*parts)->iov_len -= n;
    }
}

/* All of it or, as far as the file can still be cut, nothing. */
static int
append(struct record *record, struct iovec *parts, int count, struct fault *fault)
{
    size_t size = record->size;
    while (count > 0) {
        ssize_t n = writev(record->fd, parts, count);
        if (n >= 0) {
            size += (size_t)n;
            advance(&parts, &count, (size_t)n);
        } else if (errno != EINTR) {
            cannot(record, strerror(errno), fault);
            (void)!ftruncate(record->fd, (off_t)record->size);
            return -1;
        }
    }
    record->size = size;
    return 0;
}

static struct iovec
part(struct slice bytes)
{
    return (struct iovec){(void *)(uintptr_t)bytes.ptr, bytes.len};
}

static int
write_record(struct record *record, enum record_kind kind, struct slice message,
             struct fault *fault)
{
    static const char *const names[] = {"start", "in", "out"};
    struct timespec now;
    char head[HEAD_ROOM];
    clock_gettime(CLOCK_REALTIME, &now);
    int len = snprintf(head, sizeof head, "%s %lld.%06ld %zu\n", names[kind], (long long)now.tv_sec,
                       now.tv_nsec / 1000, message.len);
    struct iovec parts[] = {part((struct slice){head, (size_t)len}), part(message),
                            part(SLICE("\n"))};
    return append(record, parts, 3, fault);
}

/* ---- the beginning of a recording -------------------------------------------------------- */

/* The last argument of this process: MODULE.CLASS, through either door; empty where there is no telling. */
static void
read_class(char *text, size_t size)
{
    char arguments[4096] = "";
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    if (fd >= 0) {
        n = read(fd, arguments, sizeof arguments - 1);
        close(fd);
    }
    const char *before = n > 1 ? memrchr(arguments, '\0', (size_t)n - 1) : NULL;
    snprintf(text, size, "%s", before != NULL ? before + 1 : "");
}

/* A string, or "" for one that is no UTF-8. New. */
static json_t *
json_text(const char *text)
{
    json_t *string = json_string(text);
    return string != NULL ? string : json_string("");
}

static int
write_start(struct record *record, bool goes_on, struct fault *fault)
{
    char class[512];
    char directory[PATH_MAX];
    read_class(class, sizeof class);
    const char *where = getcwd(directory, sizeof directory);
    json_t *start =
        json_pack("{s:o, s:o, s:i, s:b}", "class", json_text(class), "directory",
                  json_text(where != NULL ? where : ""), "pid", (int)getpid(), "goes_on", goes_on);
    char *text = start != NULL ? json_dumps(start, JSON_COMPACT) : NULL;
    int result = text != NULL
                     ? write_record(record, RECORD_START, (struct slice){text, strlen(text)}, fault)
                     : no_memory(fault);
    free(text);
    json_decref(start);
    return result;
}

/* `goes_on`: what this interpreter heard before is in the file that was full. */
static int
introduce(struct record *record, bool goes_on, struct fault *fault)
{
    struct iovec parts[] = {part(record->size > 0 ? SLICE("\n") : SLICE("")), part(MAGIC)};
    struct slice handshake = {record->handshake, strlen(record->handshake)};
    if (append(record, parts, 2, fault) < 0 || write_start(record, goes_on, fault) < 0 ||
        write_record(record, RECORD_IN, handshake, fault) < 0) {
        return -1;
    }
    record->introduction = record->size;
    return 0;
}

static int
begin(struct record *record, const struct handshake *handshake, struct fault *fault)
{
    if (read_most(record, handshake, fault) < 0 || read_path(record, handshake, fault) < 0 ||
        read_handshake(record, handshake, fault) < 0) {
        return -1;
    }
    make_directories(record);
    if (open_file(record, fault) < 0 ||
        (record->size >= record->most && set_aside(record, fault) < 0)) {
        return -1;
    }
    return introduce(record, false, fault);
}

struct record *
record_new(const struct handshake *handshake, struct fault *fault)
{
    struct record *record = calloc(1, sizeof *record);
    if (record == NULL) {
        no_memory(fault);
        return NULL;
    }
    record->fd = -1;
    if (begin(record, handshake, fault) < 0) {
        record_free(record);
        return NULL;
    }
    return record;
}

void
record_free(struct record *record)
{
    if (record == NULL) {
        return;
    }
    if (record->fd >= 0) {
        close(record->fd);
    }
    free(record->handshake);
    free(record);
}

int
record_descriptor(const struct record *record)
{
    return record->fd;
}

/* A new file begins with a message that the component has not heard before, never with task ids, which
   answer something that it said. */
static bool
is_full(const struct record *record, enum record_kind kind, struct slice message)
{
    return kind == RECORD_IN && record->size > record->introduction &&
           record->size + message.len + HEAD_ROOM > record->most &&
           (message.len == 0 || *message.ptr != '[');
}

int
record_write(struct record *record, enum record_kind kind, struct slice message,
             struct fault *fault)
{
    if (is_full(record, kind, message) &&
        (set_aside(record, fault) < 0 || introduce(record, true, fault) < 0)) {
        return -1;
    }
    return write_record(record, kind, message, fault);
}
