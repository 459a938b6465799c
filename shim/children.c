#include "children.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 10,   /* how often it is looked who is left */
    ASKED_MS = 500, /* from SIGTERM to SIGKILL */
    MOST_MS = 2000  /* a process that the kernel holds is not waited for any longer */
};

void
children_adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Bury those that have ended; is there any that has not? */
static bool
any_left(void)
{
    pid_t pid;
    do {
        pid = waitpid(-1, NULL, WNOHANG);
    } while (pid > 0);
    return pid == 0 || errno != ECHILD;
}

/* The parent of a process (proc(5)), or -1. Its name, in brackets, may hold brackets and spaces. */
static pid_t
parent_of(const char *process)
{
    char text[512];
    int parent = -1;
    snprintf(text, sizeof text, "/proc/%.20s/stat", process);
    FILE *file = fopen(text, "re");
    if (file == NULL) {
        return -1;
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *name_end = strrchr(text, ')');
    return name_end != NULL && sscanf(name_end, ") %*c %d", &parent) == 1 ? (pid_t)parent : -1;
}

static void
signal_all(int number)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid()) {
            kill(atoi(entry->d_name), number);
        }
    }
    if (processes != NULL) {
        closedir(processes);
    }
}

void
children_end(void)
{
    const struct timespec moment = {.tv_nsec = LOOK_MS * 1000 * 1000};
    if (!any_left()) {
        return; /* as nearly always */
    }
    signal_all(SIGTERM);
    for (int waited = 0; any_left() && waited < MOST_MS; waited += LOOK_MS) {
        if (waited >= ASKED_MS) {
            signal_all(SIGKILL); /* again and again: those of the ended become ours */
        }
        nanosleep(&moment, NULL);
    }
}
