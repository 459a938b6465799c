/* The C tests in one program. Names of suites as arguments run only those. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
    {"fault", fault_suite},       {"buffer", buffer_suite},         {"frame", frame_suite},
    {"json", json_suite},         {"codec", codec_suite},           {"ids", ids_suite},
    {"message", message_suite},   {"handshake", handshake_suite},   {"arena", arena_suite},
    {"wire", wire_suite},         {"capture", capture_suite},       {"session", session_suite},
    {"record", record_suite},     {"recovery", recovery_suite},     {"pulse", pulse_suite},
    {"restarts", restarts_suite}, {"stacks", stacks_suite},         {"guardian", guardian_suite},
    {"kills", kills_suite},       {"histogram", histogram_suite},   {"grouping", grouping_suite},
    {"jvm_hash", jvm_hash_suite}, {"jvm_values", jvm_values_suite}, {"acker", acker_suite},
    {"said", said_suite},         {"handover", handover_suite},
};

enum { SUITES = sizeof suites / sizeof suites[0] };

static int
find(const char *name)
{
    for (int i = 0; i < SUITES; i++) {
        if (strcmp(suites[i].name, name) == 0) {
            return i;
        }
    }
    fprintf(stderr, "check_core: no suite is called %s\n", name);
    exit(2);
}

int
main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
    for (int i = 1; i < argc; i++) {
        srunner_add_suite(runner, suites[find(argv[i])].make());
    }
    for (int i = 0; argc == 1 && i < SUITES; i++) {
        srunner_add_suite(runner, suites[i].make());
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
