"""The schedule on which an anchor gets the newest checkpoint. Pure.

An anchor that agrees gets each new checkpoint. One that is away or refuses is tried again after a
quarter of the time since it last agreed, an hour at most: a dead address costs little, and one that
was away for a minute is soon tried again. One in conflict is tried again after a new checkpoint was
signed, which a halted log doesn't do.
"""

from datetime import datetime, timedelta

from governance.foundation.anchors.models import Anchor

MIN_WAIT, MAX_WAIT = timedelta(minutes=1), timedelta(hours=1)
BACKOFF_DIVISOR = 4


def is_due(
    anchor: Anchor, *, size: int, signed_at: datetime, now: datetime, impatient: bool = False
) -> bool:
    """Return whether an anchor is due to get the checkpoint over `size` entries.

    `impatient`: a person requested it, so don't wait after a failure.
    """
    if anchor.kind == "timestamp" and anchor.seen_at and anchor.seen_at.date() >= now.date():
        return False  # One token per day.
    if anchor.state == "conflict" and not impatient:
        return anchor.tried_at is None or signed_at > anchor.tried_at
    if anchor.state in {"away", "refuses"}:
        return (
            impatient
            or anchor.tried_at is None
            or now - anchor.tried_at >= retry_wait(anchor, anchor.tried_at)
        )
    return (
        impatient or anchor.seen_at is None or size > anchor.seen_size or signed_at > anchor.seen_at
    )


def retry_wait(anchor: Anchor, tried_at: datetime) -> timedelta:
    """Return how long to wait before the next try."""
    silent_for = tried_at - (anchor.seen_at or anchor.created_at)
    return min(max(silent_for / BACKOFF_DIVISOR, MIN_WAIT), MAX_WAIT)
