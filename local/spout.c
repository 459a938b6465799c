#include "spout.h"

#include <stdlib.h>

#include "pipes.h"

/* ---- commands ------------------------------------------------------------------------------ */

static void
note_command(struct task *spout, enum spout_command kind)
{
    struct commands *commands = &spout->commands;
    if (commands->count == commands->capacity) {
        size_t capacity = commands->capacity > 0 ? 2 * commands->capacity : 64;
        uint8_t *kinds = need_memory(capacity, 1);
        for (size_t i = 0; i < commands->count; i++) {
            kinds[i] = commands->kinds[(commands->first + i) & (commands->capacity - 1)];
        }
        free(commands->kinds);
        *commands = (struct commands){kinds, capacity, 0, commands->count, commands->nexts};
    }
    commands->kinds[(commands->first + commands->count++) & (commands->capacity - 1)] =
        (uint8_t)kind;
    commands->nexts += kind == SPOUT_NEXT;
    spout->engine->open_nexts += kind == SPOUT_NEXT;
    spout->engine->open_commands++;
}

/* In the order of keys of Storm's HashMap. `id` is JSON text. */
static void
command(struct task *spout, enum spout_command kind, struct slice id)
{
    static const struct slice names[] = {SLICE(",\"command\":\"next\"}\nend\n"),
                                         SLICE(",\"command\":\"ack\"}\nend\n"),
                                         SLICE(",\"command\":\"fail\"}\nend\n"),
                                         SLICE(",\"command\":\"activate\"}\nend\n"),
                                         SLICE(",\"command\":\"deactivate\"}\nend\n")};
    static const struct slice open = SLICE("{\"id\":");
    if (spout->commands.count == 0) { /* until now it had nothing to answer */
        spout->heard = spout->engine->now;
    }
    note_command(spout, kind);
    char *to = task_room(spout, open.len + id.len + names[kind].len);
    memcpy(to, open.ptr, open.len);
    memcpy(to + open.len, id.ptr, id.len);
    memcpy(to + open.len + id.len, names[kind].ptr, names[kind].len);
    task_told(spout, to + open.len + id.len + names[kind].len);
}

void
spout_synced(struct task *spout)
{
    struct commands *commands = &spout->commands;
    struct pacing *pacing = &spout->pacing;
    if (commands->count == 0) {
        return;
    }
    enum spout_command kind = commands->kinds[commands->first];
    commands->first = (commands->first + 1) & (commands->capacity - 1);
    commands->count--;
    spout->engine->open_commands--;
    if (kind != SPOUT_NEXT) {
        return;
    }
    commands->nexts--;
    spout->engine->open_nexts--;
    if (!pacing->emitted) { /* nothing to emit: Storm rests a millisecond, too */
        pacing->window = 1;
        pacing->rest_till = spout->engine->now + MILLISECOND;
    }
    pacing->emitted = false;
}

void
spout_activate(struct task *spout)
{
    if (spout->component->plan->spout && spout->state == TASK_UP && !spout->pacing.active) {
        spout->pacing = (struct pacing){.window = 1, .active = true};
        command(spout, SPOUT_ACTIVATE, SLICE("\"\""));
    }
}

void
spout_deactivate(struct task *spout)
{
    if (spout->pacing.active) {
        spout->pacing.active = false;
        command(spout, SPOUT_DEACTIVATE, SLICE("\"\""));
    }
}

/* ---- asking -------------------------------------------------------------------------------- */

/* How many tuples more may come from it, if each that is asked for comes. */
static uint64_t
wanted(const struct task *spout)
{
    const struct engine *engine = spout->engine;
    uint64_t most = spout->component->max_pending;
    uint64_t all = (uint64_t)engine->plan->run.tuples;
    uint64_t spoken_for = engine->spouts_emitted + engine->open_nexts - spout->commands.nexts;
    uint64_t room = most > spout->pending ? most - spout->pending : 0;
    uint64_t left = all > spoken_for ? all - spoken_for : 0;
    return room < left ? room : left;
}

/* Storm asks for the next tuple once it has the last. Here as many may be asked for at a time as come within a
   millisecond: what is asked for cannot be taken back, and an ack waits behind it. */
static void
set_window(struct task *spout)
{
    enum { MOST = 64 };
    struct pacing *pacing = &spout->pacing;
    int64_t took = spout->engine->now - pacing->asked;
    if (took < MILLISECOND && pacing->window < MOST) {
        pacing->window *= 2;
    } else if (took > 4 * MILLISECOND) {
        pacing->window = 1;
    }
}

int64_t
spout_due(const struct task *spout)
{
    size_t open = spout->commands.nexts;
    bool asks = spout->pacing.active && spout->state == TASK_UP && spout->engine->full_tasks == 0 &&
                open <= spout->pacing.window / 2 && open < wanted(spout);
    return asks ? spout->pacing.rest_till : INT64_MAX;
}

void
spout_ask(struct task *spout)
{
    struct engine *engine = spout->engine;
    struct pacing *pacing = &spout->pacing;
    if (engine->now < spout_due(spout)) {
        return;
    }
    set_window(spout);
    pacing->asked = engine->now;
    uint64_t more = wanted(spout);
    for (size_t open = spout->commands.nexts; open < pacing->window && open < more; open++) {
        command(spout, SPOUT_NEXT, SLICE("\"\""));
    }
}

void
spout_emitted(struct task *spout)
{
    spout->pacing.emitted = true;
    spout->engine->spouts_emitted++;
}

/* ---- its trees ----------------------------------------------------------------------------- */

int
spout_open_tree(struct task *spout, struct slice id, root_id *root, struct fault *fault)
{
    spout->pending++;
    spout->component->totals.in_flight++;
    return acker_start(&spout->engine->acker, spout->index, id, spout->engine->now, root, fault);
}

void
spout_acked_at_once(struct task *spout, struct slice id)
{
    spout->component->totals.acked++;
    command(spout, SPOUT_ACK, id);
}

static void
count_settled(struct component *component, enum settlement how)
{
    component->totals.in_flight--;
    component->totals.acked += how == SETTLED_ACKED;
    component->totals.failed += how != SETTLED_ACKED;
    component->totals.timed_out += how == SETTLED_TIMED_OUT;
}

void
spout_settled(struct engine *engine, const struct settled *settled, enum settlement how)
{
    struct task *spout = &engine->tasks[settled->spout];
    spout->pending--;
    count_settled(spout->component, how);
    if (how == SETTLED_ACKED) {
        histogram_add(&spout->component->latency, engine->now - settled->emitted, 1);
    } else {
        engine->failed = true;
    }
    command(spout, how == SETTLED_ACKED ? SPOUT_ACK : SPOUT_FAIL, settled->message_id);
}

size_t
spout_drop_all(struct task *spout)
{
    size_t count = 0;
    struct settled settled;
    for (; acker_drop(&spout->engine->acker, spout->index, &settled); count++) {
        count_settled(spout->component, SETTLED_FAILED);
    }
    spout->engine->open_commands -= spout->commands.count;
    spout->engine->open_nexts -= spout->commands.nexts;
    spout->commands.count = spout->commands.nexts = 0;
    spout->pending = 0;
    spout->pacing = (struct pacing){.window = 1};
    return count;
}
