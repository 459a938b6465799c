/* The interpreter that is linked into this executable runs the user's code as if his own
   environment's python had been started: the program name is that python, which makes site find the
   environment. A python of another version or installation would start all the same and then lack
   its packages or mix two standard libraries, so that is checked first. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "host.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern PyObject *PyInit__stormcell(void);

static const char BUILT_FOR[] = STORMCELL_PYTHON;
static const char BUILT_FOR_BIN[] = STORMCELL_PYTHON_BINDIR;

/* ---- which python ----------------------------------------------------------------------- */

/* The interpreter to be. */
struct python {
    char path[PATH_MAX];
    char environment[PATH_MAX]; /* the folder of its pyvenv.cfg, or "" */
};

static bool
is_environment(const char *folder)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/pyvenv.cfg", folder);
    return access(path, R_OK) == 0;
}

static void
use_environment(struct python *python, const char *folder)
{
    snprintf(python->environment, sizeof python->environment, "%s", folder);
    snprintf(python->path, sizeof python->path, "%.*s/bin/python3", PATH_MAX - 16, folder);
}

/* The environment that `path` (of a program in its bin) belongs to. */
static bool
use_environment_of(struct python *python, const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(dirname(copy));
    if (!is_environment(folder)) {
        return false;
    }
    use_environment(python, folder);
    return true;
}

/* In this order: who says so (STORMCELL_PYTHON); the environment that this executable is installed
   in; the activated one (VIRTUAL_ENV); the installation that it was built for. */
static void
find_python(struct python *python)
{
    char self[PATH_MAX] = "";
    const char *named = getenv("STORMCELL_PYTHON");
    const char *active = getenv("VIRTUAL_ENV");
    *python = (struct python){0};
    if (named != NULL && *named != '\0') {
        use_environment_of(python, named);
        snprintf(python->path, sizeof python->path, "%s", named);
        return;
    }
    if (readlink("/proc/self/exe", self, sizeof self - 1) > 0 && use_environment_of(python, self)) {
        return;
    }
    if (active != NULL && is_environment(active)) {
        use_environment(python, active);
        return;
    }
    snprintf(python->path, sizeof python->path, "%s", BUILT_FOR);
}

/* ---- does it fit ------------------------------------------------------------------------ */

/* The value of `key` in pyvenv.cfg, or "". */
static void
read_setting(const char *environment, const char *key, char *value, size_t size)
{
    char line[PATH_MAX + 64];
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/pyvenv.cfg", environment);
    FILE *file = fopen(path, "re");
    *value = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        size_t len = strlen(key);
        if (strncmp(line, key, len) == 0 && (line[len] == ' ' || line[len] == '=')) {
            const char *start = line + len + strspn(line + len, " =");
            snprintf(value, size, "%.*s", (int)strcspn(start, "\r\n"), start);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static bool
same_folder(const char *a, const char *b)
{
    char real_a[PATH_MAX];
    char real_b[PATH_MAX];
    return realpath(a, real_a) != NULL && realpath(b, real_b) != NULL &&
           strcmp(real_a, real_b) == 0;
}

static bool
same_version(const char *version)
{
    int major = 0;
    int minor = 0;
    return sscanf(version, "%d.%d", &major, &minor) != 2 ||
           (major == PY_MAJOR_VERSION && minor == PY_MINOR_VERSION);
}

static int
misfit(const struct python *python, const char *version, const char *home, struct fault *fault)
{
    return fault_set(fault, FAULT_SYSTEM, 0,
                     "%s is Python%s%s of %s, but this stormcell-shim holds Python " PY_VERSION
                     " of %s; install Stormcell with that Python and start its stormcell-shim",
                     python->path, *version ? " " : "", version, home, BUILT_FOR_BIN);
}

static int
check_environment(const struct python *python, struct fault *fault)
{
    char version[64];
    char home[PATH_MAX];
    read_setting(python->environment, "version", version, sizeof version);
    if (*version == '\0') {
        read_setting(python->environment, "version_info", version, sizeof version);
    }
    read_setting(python->environment, "home", home, sizeof home);
    if (!same_version(version) || (*home != '\0' && !same_folder(home, BUILT_FOR_BIN))) {
        return misfit(python, version, home, fault);
    }
    return 0;
}

static int
check_python(const struct python *python, struct fault *fault)
{
    char real[PATH_MAX];
    if (access(python->path, X_OK) < 0) {
        return fault_set(fault, FAULT_SYSTEM, 0,
                         "no Python at %s: %s (STORMCELL_PYTHON names another)", python->path,
                         strerror(errno));
    }
    if (*python->environment != '\0') {
        return check_environment(python, fault);
    }
    if (realpath(python->path, real) == NULL || !same_folder(dirname(real), BUILT_FOR_BIN)) {
        return misfit(python, "", real, fault);
    }
    return 0;
}

/* ---- start and end ---------------------------------------------------------------------- */

static PyStatus
initialize(const struct python *python, const char *component)
{
    char *argv[] = {(char *)(uintptr_t) "stormcell-shim", (char *)(uintptr_t)component};
    PyPreConfig preconfig;
    PyConfig config;
    PyPreConfig_InitPythonConfig(&preconfig);
    preconfig.parse_argv = 0;
    PyStatus status = Py_PreInitialize(&preconfig);
    if (PyStatus_Exception(status)) {
        return status;
    }
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    status = PyConfig_SetBytesArgv(&config, 2, argv);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetBytesString(&config, &config.program_name, python->path);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    return status;
}

/* Call stormcell.run.main(), which tells Storm of its own errors. The status to exit with. */
static int
call_main(struct arena *arena)
{
    PyObject *module = PyImport_ImportModule("stormcell.run");
    PyObject *result = module != NULL ? PyObject_CallMethod(module, "main", NULL) : NULL;
    Py_XDECREF(module);
    if (result == NULL) {
        if (module == NULL) {
            arena_last_words(arena, SLICE("the Python package 'stormcell' cannot be imported"));
        }
        PyErr_Print(); /* ends the process where it was SystemExit */
        return 1;
    }
    int status = PyLong_Check(result) ? (int)PyLong_AsLong(result) : 0;
    Py_DECREF(result);
    return status;
}

static void
say_why(struct arena *arena, const char *why)
{
    arena_last_words(arena, (struct slice){why, strlen(why)});
}

int
host_run(struct arena *arena, const char *component)
{
    struct python python;
    struct fault fault = {0};
    find_python(&python);
    if (check_python(&python, &fault) < 0) {
        say_why(arena, fault.text);
        return 1;
    }
    if (PyImport_AppendInittab("_stormcell", PyInit__stormcell) < 0) {
        say_why(arena, "no memory for the module table");
        return 1;
    }
    PyStatus status = initialize(&python, component);
    if (PyStatus_Exception(status)) {
        say_why(arena, status.err_msg != NULL ? status.err_msg : "Python could not be started");
        return 1;
    }
    int result = call_main(arena);
    return Py_FinalizeEx() < 0 && result == 0 ? 120 : result;
}

const char *
host_describe(void)
{
    static char text[PATH_MAX + 64];
    const char *version = Py_GetVersion();
    snprintf(text, sizeof text, "%.*s (%s) at %s", (int)strcspn(version, " "), version,
             STORMCELL_LINK, BUILT_FOR);
    return text;
}
