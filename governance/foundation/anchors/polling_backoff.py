"""Whose turn it is to be shown the newest checkpoint.

Pure.

One that agrees gets each new checkpoint. One that is away or refuses is asked again after a quarter
of the time that it has not agreed for, an hour at most: a dead address costs little, and one that
was away for a minute is soon asked again. One in conflict is asked again when a new checkpoint was
signed, which a halted log does not do.
"""

from datetime import datetime, timedelta

from governance.foundation.anchors.models import Anchor

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)
SHARE = 4


def is_due(
    anchor: Anchor, *, size: int, signed_at: datetime, now: datetime, impatient: bool = False
) -> bool:
    """Whether an anchor is to be shown the checkpoint of that size.

    `impatient`: a person asks for it now.
    """
    if anchor.kind == "timestamp" and anchor.seen_at and anchor.seen_at.date() >= now.date():
        return False  # one token a day
    if anchor.state == "conflict" and not impatient:
        return anchor.tried_at is None or signed_at > anchor.tried_at
    if anchor.state in {"away", "refuses"}:
        return (
            impatient
            or anchor.tried_at is None
            or now - anchor.tried_at >= patience(anchor, anchor.tried_at)
        )
    return (
        impatient or anchor.seen_at is None or size > anchor.seen_size or signed_at > anchor.seen_at
    )


def patience(anchor: Anchor, tried_at: datetime) -> timedelta:
    return min(max((tried_at - (anchor.seen_at or anchor.created_at)) / SHARE, SHORTEST), LONGEST)
