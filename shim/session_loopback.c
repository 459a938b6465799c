/* A session without a wire: its caller plays Storm, in the same process. All else is as ever, so what
   is tested by it is what runs. */
#include "session_state.h"

struct session *
session_new_loopback(struct fault *fault)
{
    struct arena *arena = arena_new(fault);
    struct session *session = arena != NULL ? session_on(arena, fault) : NULL;
    if (session == NULL) {
        arena_free(arena);
        return NULL;
    }
    session->own = arena;
    session->inlet.eof = true; /* what has been fed is all there is: nothing waits for more */
    return session;
}

int
session_feed(struct session *session, struct slice bytes, struct fault *fault)
{
    return session->arena == NULL ? session_forked(fault)
                                  : inlet_put(&session->inlet, bytes, fault);
}

struct slice
session_said(const struct session *session)
{
    return session->arena == NULL ? (struct slice){"", 0} : outlet_said(&session->outlet);
}

void
session_heard(struct session *session)
{
    if (session->arena != NULL) {
        session_drop_emit(session);
        outlet_clear(&session->outlet);
    }
}

void
session_cut_off(struct session *session)
{
    session->arena = NULL;
}
