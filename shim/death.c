#include "death.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include "stacks.h"

enum { MESSAGE_SHOWN = 2000 }; /* bytes of the message in hand */

/* Whoever crashed may have written anywhere: what is in the arena is shown within its bounds. */
static struct slice
within(const char *text, size_t len, size_t most)
{
    return (struct slice){text, len < most ? len : most};
}

void
death_add(struct buffer *out, const char *format, ...)
{
    enum { MOST = 1024 };
    char *room = buffer_room(out, MOST, NULL);
    if (room == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    int len = vsnprintf(room, MOST, format, args);
    va_end(args);
    out->len += len < 0 ? 0 : len < MOST ? (size_t)len : MOST - 1;
}

static void
add_who(const struct arena_component *component, pid_t process, struct buffer *out)
{
    death_add(out, "the Python process %ld ", (long)process);
    if (component->known) {
        death_add(out, "of component '%s' (task %lld) ", component->name,
                  (long long)component->task);
    }
}

static void
add_status(int status, struct buffer *out)
{
    if (WIFEXITED(status)) {
        death_add(out, "ended with exit status %d", WEXITSTATUS(status));
        return;
    }
    int number = WTERMSIG(status);
    death_add(out, "was ended by signal %d (%s)%s", number, strsignal(number),
              WCOREDUMP(status) ? ", core dumped" : "");
}

static void
add_hand(const struct arena_hand *hand, struct buffer *out)
{
    if (hand->kind == HAND_TUPLE && hand->numbered) {
        death_add(out, " while it had tuple %lld in hand", (long long)hand->number);
    } else if (hand->kind == HAND_TUPLE) {
        struct slice id = within(hand->text, hand->len, sizeof hand->text);
        death_add(out, " while it had tuple %.*s in hand", (int)id.len, id.ptr);
    } else if (hand->kind == HAND_COMMAND) {
        death_add(out, " while it worked for Storm's command");
    }
}

/* The message as Storm sent it. */
static void
add_message(struct arena *arena, struct buffer *out)
{
    bool there = arena->hand.kind == HAND_TUPLE || arena->hand.kind == HAND_COMMAND;
    size_t len = there && arena->input.start > arena->dealt ? arena->input.start - arena->dealt : 0;
    struct slice message = {arena_region(arena, ARENA_INPUT) + arena->dealt, len};
    const char *end = len > 0 ? memmem(message.ptr, len, "\nend", 4) : NULL;
    if (end == NULL) {
        return;
    }
    message.len = (size_t)(end - message.ptr);
    bool cut = message.len > MESSAGE_SHOWN;
    death_add(out, "\nin hand: ");
    buffer_append(out, (struct slice){message.ptr, cut ? MESSAGE_SHOWN : message.len}, NULL);
    if (cut) {
        death_add(out, "... (%zu bytes)", message.len);
    }
}

void
death_describe(struct arena *arena, pid_t process, int status, struct buffer *out)
{
    struct slice words = within(arena->last_words, arena->last_words_len, sizeof arena->last_words);
    add_who(&arena->component, process, out);
    if (words.len > 0) {
        death_add(out, "ended");
    } else {
        add_status(status, out);
    }
    add_hand(&arena->hand, out);
    if (words.len > 0) {
        death_add(out, ": ");
        buffer_append(out, words, NULL);
    }
    add_message(arena, out);
}

void
death_describe_hang(struct arena *arena, pid_t process, struct buffer *out)
{
    add_who(&arena->component, process, out);
    death_add(out,
              "hung: it showed no sign of life for %.4g s (stormcell.hang.timeout.secs) "
              "and was killed",
              (double)arena->component.hang_ms / 1000);
    add_hand(&arena->hand, out);
    add_message(arena, out);
}

void
death_add_stacks(const struct arena *arena, struct buffer *out)
{
    size_t before = out->len;
    death_add(out, "\n");
    stacks_take(arena->stacks, out);
    out->len = out->len > before + 1 ? out->len : before;
}
