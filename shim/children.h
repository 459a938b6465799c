/* What user code has started and left behind: once the interpreter is gone, nobody else would end it. */
#ifndef STORMCELL_CHILDREN_H
#define STORMCELL_CHILDREN_H

/* Become the parent of every process that loses its own further down (PR_SET_CHILD_SUBREAPER). */
void children_adopt(void);

/* End all children of this process and theirs: asked to by SIGTERM, and a moment later by SIGKILL. */
void children_end(void);

#endif
