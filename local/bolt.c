#include "bolt.h"

#include <stdio.h>
#include <stdlib.h>

#include "pipes.h"
#include "spout.h"

/* ---- places -------------------------------------------------------------------------------- */

enum { FIRST_CAPACITY = 64, PLACE_BITS = 24 };

static void
grow(struct deliveries *deliveries)
{
    uint32_t old = deliveries->capacity;
    uint32_t capacity = old == 0 ? FIRST_CAPACITY : 2 * old;
    if (capacity > UINT32_C(1) << PLACE_BITS) { /* ids would no longer tell them apart */
        out_of_memory();
    }
    struct delivery *places = need_memory(capacity, sizeof *places);
    if (old > 0) {
        memcpy(places, deliveries->places, old * sizeof *places);
    }
    for (uint32_t i = old; i < capacity; i++) {
        places[i].next_free = i + 1 < capacity ? i + 1 : UINT32_MAX;
    }
    free(deliveries->places);
    deliveries->places = places;
    deliveries->capacity = capacity;
    deliveries->free = old;
}

/* An id's low bits are its place, those above come only once. */
static struct delivery *
take_place(struct deliveries *deliveries)
{
    if (deliveries->free == UINT32_MAX) {
        grow(deliveries);
    }
    uint32_t place = deliveries->free;
    struct delivery *delivery = &deliveries->places[place];
    deliveries->free = delivery->next_free;
    deliveries->live++;
    delivery->id = ++deliveries->turn << PLACE_BITS | place;
    return delivery;
}

static void
give_back(struct deliveries *deliveries, struct delivery *delivery)
{
    if (delivery->edge_count > 1) {
        free(delivery->edges.many);
    }
    delivery->id = 0;
    delivery->edge_count = 0;
    delivery->next_free = deliveries->free;
    deliveries->free = (uint32_t)(delivery - deliveries->places);
    deliveries->live--;
}

static void
keep_edges(struct delivery *delivery, const struct edge *edges, size_t count)
{
    struct edge *kept = &delivery->edges.one;
    delivery->edge_count = (uint32_t)count;
    if (count > 1) {
        kept = delivery->edges.many = need_memory(count, sizeof *kept);
    }
    if (count > 0) {
        memcpy(kept, edges, count * sizeof *kept);
    }
}

/* ---- giving -------------------------------------------------------------------------------- */

/* Decimal digits, which end at `end`; where they begin. */
static char *
digits(char *end, uint64_t number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

static char *
put(char *to, struct slice text)
{
    memcpy(to, text.ptr, text.len);
    return to + text.len;
}

void
bolt_give(struct task *bolt, struct slice open, struct slice values, struct slice close,
          const struct edge *edges, size_t edge_count)
{
    enum { DIGITS = 20 };
    char text[DIGITS];
    struct delivery *delivery = take_place(&bolt->deliveries);
    delivery->given = bolt->engine->now;
    keep_edges(delivery, edges, edge_count);
    char *number = digits(text + DIGITS, delivery->id);
    struct slice id = {number, (size_t)(text + DIGITS - number)};
    char *to = task_room(bolt, open.len + values.len + close.len + id.len + 8);
    to = put(put(put(put(put(to, open), values), close), id), SLICE("\"}\nend\n"));
    task_told(bolt, to);
    bolt->component->totals.executed++;
    bolt->component->totals.in_flight++;
}

void
bolt_tick(struct task *bolt)
{
    char values[32];
    int len =
        snprintf(values, sizeof values, "[%lld]", (long long)(bolt->component->tick / SECOND));
    bolt_give(bolt, SLICE("{\"comp\":\"__system\",\"tuple\":"), (struct slice){values, (size_t)len},
              SLICE(",\"task\":-1,\"stream\":\"__tick\",\"id\":\""), NULL, 0);
}

void
bolt_heartbeat(struct task *bolt)
{
    struct slice text = SLICE("{\"comp\":null,\"tuple\":[],\"task\":-1,\"stream\":\"__heartbeat\","
                              "\"id\":\"-1\"}\nend\n");
    task_told(bolt, put(task_room(bolt, text.len), text));
}

/* ---- settling ------------------------------------------------------------------------------ */

static struct delivery *
find(const struct task *bolt, struct slice id)
{
    enum { MOST = 19 };
    uint64_t number = 0;
    if (id.len == 0 || id.len > MOST) {
        return NULL;
    }
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] < '0' || id.ptr[i] > '9') {
            return NULL;
        }
        number = number * 10 + (uint64_t)(id.ptr[i] - '0');
    }
    uint64_t place = number & ((UINT64_C(1) << PLACE_BITS) - 1);
    struct delivery *delivery =
        place < bolt->deliveries.capacity ? &bolt->deliveries.places[place] : NULL;
    return delivery != NULL && number != 0 && delivery->id == number ? delivery : NULL;
}

const struct delivery *
bolt_delivery(const struct task *bolt, struct slice id)
{
    return find(bolt, id);
}

static void
settle(struct task *bolt, struct delivery *delivery, bool acked)
{
    struct engine *engine = bolt->engine;
    const struct edge *edges = delivery_edges(delivery);
    struct settled settled;
    for (uint32_t i = 0; i < delivery->edge_count; i++) {
        bool done = acked ? acker_xor(&engine->acker, edges[i].root, edges[i].value) : true;
        if (done && acker_settle(&engine->acker, edges[i].root, &settled)) {
            spout_settled(engine, &settled, acked ? SETTLED_ACKED : SETTLED_FAILED);
        }
    }
    bolt->component->totals.in_flight--;
    give_back(&bolt->deliveries, delivery);
}

int
bolt_settle(struct task *bolt, struct slice id, bool acked, struct fault *fault)
{
    struct component *component = bolt->component;
    struct delivery *delivery = find(bolt, id);
    if (delivery == NULL) {
        return fault_set(fault, FAULT_ID, 0,
                         "it settled the tuple \"%.*s\", which it was not given, "
                         "or has settled before",
                         id.len < 40 ? (int)id.len : 40, id.ptr);
    }
    *(acked ? &component->totals.acked : &component->totals.failed) += 1;
    histogram_add(&component->latency, bolt->engine->now - delivery->given, 1);
    settle(bolt, delivery, acked);
    return 0;
}

size_t
bolt_fail_all(struct task *bolt)
{
    size_t count = bolt->deliveries.live;
    for (uint32_t i = 0; i < bolt->deliveries.capacity; i++) {
        if (bolt->deliveries.places[i].id != 0) {
            bolt->component->totals.failed++;
            settle(bolt, &bolt->deliveries.places[i], false);
        }
    }
    return count;
}
