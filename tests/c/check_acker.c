/* The acker against a naive one: each root with the list of its edges. */
#include "acker.h"

#include <stdio.h>

#include "chance.h"
#include "suites.h"

enum { ROOTS = 300, EDGES = 40, SPOUTS = 3 };

struct model_root {
    root_id id;
    bool live;
    uint32_t spout;
    int64_t emitted;
    char name[64];
    uint64_t edges[EDGES];
    size_t edge_count;
};

static struct acker acker;
static struct fault fault;
static struct model_root roots[ROOTS];
static size_t root_count;
static struct chance chance;

static void
setup(void)
{
    acker_init(&acker);
    fault = (struct fault){0};
    root_count = 0;
}

static void
teardown(void)
{
    acker_deinit(&acker);
}

static size_t
live_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < root_count; i++) {
        count += roots[i].live;
    }
    return count;
}

/* Ids that are kept in place and such that are not. */
static void
start(int64_t now)
{
    struct model_root *root = &roots[root_count];
    *root =
        (struct model_root){.live = true, .spout = chance_below(&chance, SPOUTS), .emitted = now};
    int len = snprintf(root->name, sizeof root->name, "%s%zu",
                       chance_below(&chance, 2) == 0 ? "" : "\"a rather long id of the tuple/",
                       root_count);
    ck_assert_int_eq(acker_start(&acker, root->spout, (struct slice){root->name, (size_t)len}, now,
                                 &root->id, &fault),
                     0);
    for (size_t i = 0; i < root_count; i++) {
        ck_assert_uint_ne(roots[i].id, root->id);
    }
    root_count++;
}

static void
check_settled(struct model_root *root, const struct settled *settled)
{
    ck_assert(root->live);
    ck_assert_uint_eq(settled->spout, root->spout);
    ck_assert_int_eq(settled->emitted, root->emitted);
    ck_assert(slice_equal(settled->message_id, (struct slice){root->name, strlen(root->name)}));
    root->live = false;
}

static void
enter_edge(struct model_root *root)
{
    uint64_t edge = chance_bits(&chance) | 1;
    ck_assert(!acker_xor(&acker, root->id, edge) || root->edge_count > 0);
    if (root->live) {
        root->edges[root->edge_count++] = edge;
    }
}

static void
ack_edge(struct model_root *root)
{
    struct settled settled;
    size_t which = chance_below(&chance, (uint32_t)root->edge_count);
    uint64_t edge = root->edges[which];
    root->edges[which] = root->edges[--root->edge_count];
    bool done = acker_xor(&acker, root->id, edge);
    ck_assert(done == (root->edge_count == 0));
    if (done) {
        ck_assert(acker_settle(&acker, root->id, &settled));
        check_settled(root, &settled);
    }
}

static struct model_root *
oldest(void)
{
    for (size_t i = 0; i < root_count; i++) {
        if (roots[i].live) {
            return &roots[i];
        }
    }
    return NULL;
}

static void
expire(int64_t due)
{
    struct settled settled;
    struct model_root *root;
    while (acker_expire(&acker, due, &settled)) {
        root = oldest();
        ck_assert_ptr_nonnull(root);
        ck_assert_int_lt(root->emitted, due);
        check_settled(root, &settled);
    }
    root = oldest();
    ck_assert(root == NULL || root->emitted >= due);
}

static void
drop_spout(uint32_t spout)
{
    struct settled settled;
    while (acker_drop(&acker, spout, &settled)) {
        struct model_root *found = NULL;
        for (size_t i = 0; i < root_count; i++) {
            struct slice name = {roots[i].name, strlen(roots[i].name)};
            found = slice_equal(name, settled.message_id) ? &roots[i] : found;
        }
        ck_assert_ptr_nonnull(found);
        ck_assert_uint_eq(found->spout, spout);
        check_settled(found, &settled);
    }
    for (size_t i = 0; i < root_count; i++) {
        ck_assert(!roots[i].live || roots[i].spout != spout);
    }
}

static void
settle_any(struct model_root *root)
{
    struct settled settled;
    bool was = acker_settle(&acker, root->id, &settled);
    ck_assert(was == root->live);
    if (was) {
        check_settled(root, &settled);
    }
}

static void
one_step(int64_t now)
{
    uint32_t choice = chance_below(&chance, 100);
    if (root_count == 0 || (choice < 25 && root_count < ROOTS)) {
        start(now);
        return;
    }
    struct model_root *root = &roots[chance_below(&chance, (uint32_t)root_count)];
    if (choice < 60 && root->edge_count < EDGES) {
        enter_edge(root);
    } else if (choice < 94 && root->live && root->edge_count > 0) {
        ack_edge(root);
    } else if (choice < 97) {
        settle_any(root);
    } else if (choice == 97) {
        expire(now - 40);
    } else if (choice == 98 && chance_below(&chance, 10) == 0) {
        drop_spout(chance_below(&chance, SPOUTS));
    }
}

START_TEST(does_what_the_model_does)
{
    chance = (struct chance){(uint64_t)_i};
    for (int64_t now = 0; now < 3000; now++) {
        one_step(now);
        ck_assert_uint_eq(acker.count, live_count());
        const struct model_root *first = oldest();
        ck_assert_int_eq(acker_oldest(&acker), first != NULL ? first->emitted : INT64_MAX);
    }
    expire(INT64_MAX);
    ck_assert_uint_eq(acker.count, 0);
}
END_TEST

START_TEST(what_was_settled_is_never_found_again)
{
    struct settled settled;
    root_id first;
    root_id second;
    ck_assert_int_eq(acker_start(&acker, 0, SLICE("1"), 0, &first, &fault), 0);
    ck_assert(acker_settle(&acker, first, &settled));
    ck_assert_int_eq(acker_start(&acker, 0, SLICE("2"), 0, &second, &fault), 0);
    ck_assert(!acker_settle(&acker, first, &settled));
    ck_assert(!acker_xor(&acker, first, 0));
    ck_assert(acker_settle(&acker, second, &settled));
}
END_TEST

Suite *
acker_suite(void)
{
    Suite *suite = suite_create("acker");
    TCase *tcase = tcase_create("acker");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, does_what_the_model_does, 1, 30);
    tcase_add_test(tcase, what_was_settled_is_never_found_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
