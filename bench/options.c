/* getopt_long */
#define _GNU_SOURCE

#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

#include "die.h"

static const char USAGE[] = "usage: driver [OPTIONS] INPUT COMMAND [ARGUMENT...]\n"
                            "\n"
                            "Plays Storm for a bolt: INPUT holds the handshake and the tuples, "
                            "each with its line \"end\".\n"
                            "  --window N     at most N tuples in flight (all that INPUT has)\n"
                            "  --single       one message a write(2)\n"
                            "  --sleep        sleep while waiting for answers (else spin)\n"
                            "  --warm-up MS   not measured (200)\n"
                            "  --time MS      measured (1000)\n"
                            "  --tuples N     send N and end, instead of by the clock\n"
                            "  --spout        INPUT holds commands for a spout, each answered "
                            "by a sync; the unit is an emit\n"
                            "  --task-ids     answer each emit with task ids\n"
                            "  --group N      the child answers N tuples at a time (1)\n"
                            "  --emits N      expect N emits for each group (0)\n"
                            "  --logs N       expect at least N logs for each tuple (0)\n"
                            "  --fails N      expect each Nth tuple to be failed with an error "
                            "(none)\n"
                            "  --keeps N      the child acks a tuple when N more have come (0)\n"
                            "  --tell N       print a line whenever N more tuples are settled\n"
                            "  --copy FILE    write what the child says to FILE as well\n"
                            "  --cpus P,C     run on CPU P and the child on CPU C\n"
                            "  --start UNTIL  only time the start, until its handshake is answered "
                            "(answer) or it has ended (exit)\n";

static uint64_t
number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0') {
        die("'%s' is not a number", text);
    }
    return value;
}

static void
take_cpus(struct options *options, const char *text)
{
    if (sscanf(text, "%d,%d", &options->parent_cpu, &options->child_cpu) != 2) {
        die("--cpus takes two numbers, not '%s'", text);
    }
}

static void
take_start(struct options *options, const char *until)
{
    if (strcmp(until, "answer") == 0) {
        options->what = START_TO_ANSWER;
    } else if (strcmp(until, "exit") == 0) {
        options->what = START_TO_EXIT;
    } else {
        die("--start takes 'answer' or 'exit', not '%s'", until);
    }
}

/* All options: one switch. */
static void
take_option(struct options *options, int option)
{
    switch (option) {
    case 'w':
        options->window = number(optarg);
        break;
    case '1':
        options->single = true;
        break;
    case 's':
        options->sleep = true;
        break;
    case 'u':
        options->warm_up_ms = (int64_t)number(optarg);
        break;
    case 't':
        options->time_ms = (int64_t)number(optarg);
        break;
    case 'n':
        options->tuples = number(optarg);
        break;
    case 'S':
        options->spout = true;
        break;
    case 'i':
        options->task_ids = true;
        break;
    case 'g':
        options->group = number(optarg);
        break;
    case 'e':
        options->emits = number(optarg);
        break;
    case 'l':
        options->logs = number(optarg);
        break;
    case 'f':
        options->fails = number(optarg);
        break;
    case 'T':
        options->tell = number(optarg);
        break;
    case 'k':
        options->keeps = number(optarg);
        break;
    case 'c':
        options->copy = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (options->copy < 0) {
            die("cannot write %s: %s", optarg, strerror(errno));
        }
        break;
    case 'p':
        take_cpus(options, optarg);
        break;
    case 'b':
        take_start(options, optarg);
        break;
    default:
        fputs(USAGE, stderr);
        exit(2);
    }
}

struct options
options_take(int argc, char **argv)
{
    static const struct option NAMES[] = {
        {"window", required_argument, NULL, 'w'}, {"single", no_argument, NULL, '1'},
        {"sleep", no_argument, NULL, 's'},        {"warm-up", required_argument, NULL, 'u'},
        {"time", required_argument, NULL, 't'},   {"tuples", required_argument, NULL, 'n'},
        {"emits", required_argument, NULL, 'e'},  {"copy", required_argument, NULL, 'c'},
        {"cpus", required_argument, NULL, 'p'},   {"spout", no_argument, NULL, 'S'},
        {"task-ids", no_argument, NULL, 'i'},     {"group", required_argument, NULL, 'g'},
        {"logs", required_argument, NULL, 'l'},   {"keeps", required_argument, NULL, 'k'},
        {"start", required_argument, NULL, 'b'},  {"fails", required_argument, NULL, 'f'},
        {"tell", required_argument, NULL, 'T'},   {NULL, 0, NULL, 0}};
    struct options options = {.warm_up_ms = 200,
                              .time_ms = 1000,
                              .group = 1,
                              .copy = -1,
                              .parent_cpu = -1,
                              .child_cpu = -1};
    int option;
    while ((option = getopt_long(argc, argv, "+", NAMES, NULL)) != -1) { /* +: stop at INPUT */
        take_option(&options, option);
    }
    if (argc - optind < 2) {
        fputs(USAGE, stderr);
        exit(2);
    }
    options.input = argv[optind];
    options.command = argv + optind + 1;
    return options;
}
