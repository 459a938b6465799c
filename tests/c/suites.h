/* One suite for each module of shim/ and of local/, collected by check_main.c. Tests with the tag "own-process"
   cannot share theirs with others (CK_FORK=no), nor are they for valgrind. */
#ifndef STORMCELL_TESTS_SUITES_H
#define STORMCELL_TESTS_SUITES_H

#include <check.h>

Suite *fault_suite(void);
Suite *buffer_suite(void);
Suite *frame_suite(void);
Suite *json_suite(void);
Suite *codec_suite(void);
Suite *ids_suite(void);
Suite *message_suite(void);
Suite *handshake_suite(void);
Suite *arena_suite(void);
Suite *handover_suite(void);
Suite *wire_suite(void);
Suite *capture_suite(void);
Suite *session_suite(void);
Suite *recovery_suite(void);
Suite *record_suite(void);
Suite *pulse_suite(void);
Suite *restarts_suite(void);
Suite *stacks_suite(void);
Suite *guardian_suite(void);
Suite *kills_suite(void);

/* The local engine's. */
Suite *histogram_suite(void);
Suite *grouping_suite(void);
Suite *jvm_hash_suite(void);
Suite *jvm_values_suite(void);
Suite *acker_suite(void);
Suite *said_suite(void);

/* Parts of the suites json and session, in files of their own. */
TCase *json_nesting(void);
TCase *json_writing(void);
TCase *json_numbers(void);
TCase *session_sending(void);
TCase *session_small_pipe(void);
TCase *session_own_process(void);
TCase *session_loopback(void);

#endif
