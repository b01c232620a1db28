"""Numbers of the adapter that are agreed for all partners: waits, tries, how soon a document may leave again."""

from datetime import timedelta

SEND_AGAIN = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
"""Waits after passing failures of a transport, and after a partner said that it is busy."""

RESEND_BLOCKED = timedelta(seconds=60)
"""So long after a resend nobody resends the same document."""

POISON_TRIES = 3
"""A message that we could not work on is tried so often, one try right after the other, so that what follows it does
not overtake it unseen; then it is quarantined (adapter page, 6, step 8)."""

COPY_WAIT = timedelta(seconds=1)
"""A copy that was read before its first waits so long, and looks again."""

ACK_GRACE = timedelta(minutes=15)
"""So long after a receipt was due its absence is told (edifact page, 8: M-CLK-8)."""
