"""What stands in the way of a Storm on this machine."""

from __future__ import annotations


class ClusterError(Exception):
    """The cluster of this machine cannot be started, reached or ended; the text is one line, but for a
    daemon that ended at its start: the end of its log is below it."""
