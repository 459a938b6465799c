/* One suite for each module of shim/, collected by check_main.c. */
#ifndef STORMCELL_TESTS_SUITES_H
#define STORMCELL_TESTS_SUITES_H

#include <check.h>

Suite *fault_suite(void);
Suite *buffer_suite(void);
Suite *frame_suite(void);
Suite *json_suite(void);
Suite *codec_suite(void);

#endif
