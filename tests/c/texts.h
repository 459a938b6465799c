/* Messages as Storm writes and reads them, for whoever plays Storm. */
#ifndef STORMCELL_TESTS_TEXTS_H
#define STORMCELL_TESTS_TEXTS_H

#define END "\nend\n"
#define HANDSHAKE                                                                                 \
    "{\"pidDir\":null,\"conf\":{\"stormcell.message.max.bytes\":1024},\"context\":{\"taskid\":7," \
    "\"task->component\":{\"2\":\"count\",\"7\":\"word\"},\"componentid\":\"word\","              \
    "\"stream->outputfields\":{\"default\":[\"word\"],\"direct\":[\"a\",\"b\"]},"                 \
    "\"stream->target->grouping\":{\"default\":{\"count\":{\"type\":\"SHUFFLE\"}},"               \
    "\"direct\":{\"count\":{\"type\":\"DIRECT\"}}}}}" END
#define TUPLE(id, word)                                                                          \
    "{\"comp\":\"word\",\"tuple\":[\"" word "\"],\"task\":4,\"stream\":\"default\",\"id\":\"" id \
    "\"}" END
#define HEARTBEAT \
    "{\"comp\":null,\"tuple\":[],\"task\":-1,\"stream\":\"__heartbeat\",\"id\":\"-5\"}" END
#define SYNC "{\"command\":\"sync\"}" END

#endif
