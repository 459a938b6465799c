/* stormcell-shim: what Storm starts for a Python component. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guardian.h"
#include "host.h"

static const char USAGE[] =
    "usage: stormcell-shim MODULE.CLASS\n"
    "       stormcell-shim --version | --help\n"
    "\n"
    "Runs the Python spout or bolt MODULE.CLASS as a component of an Apache Storm topology. Storm\n"
    "starts it in the topology's resources folder and talks to it over stdin and stdout (the\n"
    "multilang protocol), so it is of little use in a terminal; to look at one component, run\n"
    "stormcell component MODULE.CLASS < recording\n";

static int
refuse(const char *why)
{
    fprintf(stderr, "stormcell-shim: %s\n\n%s", why, USAGE);
    return 2;
}

int
main(int argc, char **argv)
{
    struct fault fault = {0};
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("stormcell-shim " STORMCELL_VERSION ", Python %s\n", host_describe());
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (argc != 2 || argv[1][0] == '-') {
        return refuse("one argument is needed: the component's class");
    }
    if (isatty(STDIN_FILENO)) {
        return refuse("stdin is a terminal, not Storm");
    }
    struct arena *arena = guardian_enter(&fault);
    if (arena == NULL) {
        dprintf(STDERR_FILENO, "stormcell-shim: %s\n", fault.text);
        return 1;
    }
    return host_run(arena, argv[1]);
}
