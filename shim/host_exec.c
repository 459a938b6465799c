/* host.h without Python in it: this process becomes a Python of the machine that it is on, whichever is
   there and new enough. What it must know of the conversation is handed over (handover.h); the user's
   code runs in it by `python -m stormcell.run`. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover.h"

enum { OLDEST_MINOR = 10 };

/* pyapi/stormcell/runner/start looks for the same. */
static const char *const NAMES[] = {"python3",    "python3.14", "python3.13", "python3.12",
                                    "python3.11", "python3.10", "python"};

/* Python 2 understands it as well. */
static const char QUESTION[] = "import sys; print('%d.%d.%d' % sys.version_info[:3])";

/* What has been looked at, in words. */
struct search {
    char found[8192];
    char missing[256];
};

static void __attribute__((format(printf, 3, 4)))
add(char *text, size_t size, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, size - len, format, args);
    va_end(args);
}

/* ---- where ------------------------------------------------------------------------------ */

static const char *
search_path(void)
{
    const char *path = getenv("PATH");
    return path != NULL && *path != '\0' ? path : "/usr/local/bin:/usr/bin:/bin";
}

static bool
is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Where the program of that name is; a name with a slash is a path. */
static bool
find(const char *name, char path[PATH_MAX])
{
    if (strchr(name, '/') != NULL) {
        snprintf(path, PATH_MAX, "%s", name);
        return is_program(path);
    }
    for (const char *at = search_path();; at++) {
        size_t len = strcspn(at, ":");
        int whole = snprintf(path, PATH_MAX, "%.*s/%s", (int)len, len > 0 ? at : ".", name);
        if (whole < PATH_MAX && is_program(path)) {
            return true;
        }
        at += len;
        if (*at == '\0') {
            return false;
        }
    }
}

/* ---- which ------------------------------------------------------------------------------ */

static void
ask_as_child(const char *path, int answer)
{
    char *argv[] = {(char *)(uintptr_t)path, "-E", "-S", "-c", (char *)(uintptr_t)QUESTION, NULL};
    if (dup2(answer, STDOUT_FILENO) >= 0 && dup2(answer, STDERR_FILENO) >= 0) {
        execv(path, argv);
        dprintf(answer, "%s", strerror(errno));
    }
    _exit(127);
}

static void
read_all(int fd, char *text, size_t size)
{
    size_t len = 0;
    ssize_t n;
    do {
        n = read(fd, text + len, size - len - 1);
        len += n > 0 ? (size_t)n : 0;
    } while (len + 1 < size && (n > 0 || (n < 0 && errno == EINTR)));
    text[len] = '\0';
}

/* Have the program at `path` say which Python it is: `answer` is what it printed, or why it did not start. */
static void
ask(const char *path, char *answer, size_t size)
{
    int ends[2];
    *answer = '\0';
    if (pipe2(ends, O_CLOEXEC) < 0) {
        snprintf(answer, size, "%s", strerror(errno));
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        ask_as_child(path, ends[1]);
    }
    close(ends[1]);
    if (child > 0) {
        read_all(ends[0], answer, size);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(ends[0]);
}

static const char *
last_line(char *text)
{
    for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n'; len--) {
        text[len - 1] = '\0';
    }
    const char *before = strrchr(text, '\n');
    return before != NULL ? before + 1 : text;
}

/* Is it a Python, and new enough? If not, it is noted what it is. */
static bool
fits(const char *name, const char *path, struct search *search)
{
    char answer[4096];
    int major;
    int minor;
    ask(path, answer, sizeof answer);
    const char *said = last_line(answer);
    if (sscanf(said, "%d.%d.", &major, &minor) != 2) {
        add(search->found, sizeof search->found, "; %s does not run: %.200s", path,
            *said != '\0' ? said : "it says nothing");
        return false;
    }
    if (major != 3 || minor < OLDEST_MINOR) {
        bool same = strcmp(name, path) == 0;
        add(search->found, sizeof search->found, "; %s is %.20s%s%s", name, said,
            same ? "" : " at ", same ? "" : path);
        return false;
    }
    return true;
}

static bool
try_name(const char *name, char path[PATH_MAX], struct search *search)
{
    if (!find(name, path)) {
        add(search->missing, sizeof search->missing, "%s%s", *search->missing ? ", " : "", name);
        return false;
    }
    return fits(name, path, search);
}

/* The Python to become: the one that is named, and then no other; else the first that fits. */
static bool
find_python(char path[PATH_MAX], struct search *search)
{
    const char *named = getenv("STORMCELL_PYTHON");
    if (named != NULL && *named != '\0') {
        return try_name(named, path, search);
    }
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (try_name(NAMES[i], path, search)) {
            return true;
        }
    }
    return false;
}

/* ---- becoming it ------------------------------------------------------------------------ */

static int
give_up(struct arena *arena, const char *why)
{
    arena_last_words(arena, (struct slice){why, strlen(why)});
    return 1;
}

static int
no_python(struct arena *arena, struct search *search)
{
    char why[sizeof *search + 256] = "no Python 3.10 or newer on this worker";
    const char *named = getenv("STORMCELL_PYTHON");
    if (*search->missing != '\0') {
        bool path = named != NULL && strchr(named, '/') != NULL;
        add(search->found, sizeof search->found, "; %s%s",
            path ? "there is no program " : "not on PATH: ", search->missing);
    }
    add(why, sizeof why, ":%s", search->found + 1);
    if (*search->missing != '\0' && (named == NULL || strchr(named, '/') == NULL)) {
        add(why, sizeof why, " (it is %.1000s)", search_path());
    }
    arena->refused = true;
    return give_up(arena, why);
}

int
host_run(struct arena *arena, const char *component)
{
    char path[PATH_MAX];
    struct search search = {0};
    struct fault fault = {0};
    if (!find_python(path, &search)) {
        return no_python(arena, &search);
    }
    if (handover_give(arena, &fault) < 0) {
        return give_up(arena, fault.text);
    }
    char *argv[] = {path, "-m", "stormcell.run", (char *)(uintptr_t)component, NULL};
    execv(path, argv);
    fault_errno(&fault, path);
    return give_up(arena, fault.text);
}

const char *
host_describe(void)
{
    return "3.10 or newer, found when it starts";
}
