/* What a component says: any frame is refused, or read as jansson's tree of it says. */
#include <stdint.h>

#include "guarded.h"
#include "oracle.h"
#include "require.h"
#include "said.h"

static struct guarded memory; /* kept from one input to the next */

static bool
names_kind(const char *command, enum said_kind kind)
{
    static const char *const names[] = {
        [SAID_SYNC] = "sync",      [SAID_EMIT] = "emit", [SAID_ACK] = "ack",
        [SAID_FAIL] = "fail",      [SAID_LOG] = "log",   [SAID_ERROR] = "error",
        [SAID_METRIC] = "metrics",
    };
    return kind == SAID_PID ? command == NULL
                            : command != NULL && strcmp(command, names[kind]) == 0;
}

/* `text` is that member of the tree; none where that is missing or null. */
static void
check_member(struct slice text, const json_t *root, const char *name)
{
    const json_t *member = json_object_get(root, name);
    if (text.ptr == NULL) {
        REQUIRE(member == NULL || json_is_null(member));
        return;
    }
    json_t *found = oracle_load(text);
    REQUIRE(found != NULL && json_equal(found, member));
    json_decref(found);
}

static void
check_against(const json_t *root, const struct said *said)
{
    const json_t *need = json_object_get(root, "need_task_ids");
    REQUIRE(json_is_object(root));
    REQUIRE(names_kind(json_string_value(json_object_get(root, "command")), said->kind));
    REQUIRE(said->need_task_ids == !json_is_false(need));
    check_member(said->id, root, "id");
    check_member(said->tuple, root, "tuple");
    check_member(said->stream, root, "stream");
    check_member(said->text, root, "msg");
    REQUIRE((said->name.ptr != NULL) == json_is_string(json_object_get(root, "name")));
    check_member(said->params, root, "params");
    check_member(said->anchors, root, "anchors");
}

/* A string, or an array of them: each comes once. */
static void
check_anchors(struct slice anchors, const json_t *member)
{
    struct slice text;
    struct fault fault = {0};
    size_t count = 0;
    int more = 0;
    while (anchors.ptr != NULL && (more = said_next_text(&anchors, &text, &fault)) > 0) {
        count++;
    }
    REQUIRE((more < 0) == (fault.code != FAULT_NONE));
    if (more == 0 && json_is_array(member)) {
        REQUIRE(count == json_array_size(member));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice frame =
        guarded_put(&memory, (struct slice){size > 0 ? (const char *)data : "", size});
    struct said said;
    struct fault fault = {0};
    json_t *root = oracle_load(frame);
    if (said_decode(frame, &said, &fault) < 0) {
        REQUIRE(fault.code == FAULT_JSON || fault.code == FAULT_MESSAGE ||
                fault.code == FAULT_LIMIT);
    } else {
        REQUIRE(said.kind != SAID_EMIT || said.tuple.ptr[0] == '[');
        REQUIRE((said.kind != SAID_ACK && said.kind != SAID_FAIL) || said.id.ptr[0] == '"');
        if (root != NULL) {
            check_against(root, &said);
        }
        check_anchors(said.anchors, json_object_get(root, "anchors"));
    }
    json_decref(root);
    return 0;
}
