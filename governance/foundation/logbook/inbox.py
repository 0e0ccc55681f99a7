"""The inbox item of a signing key of the audit log that has been in use for too long."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Interval, Select, literal

from governance.foundation.audit.models import LogKey
from governance.foundation.logbook import permissions
from governance.kernel.work.inbox import NOW, InboxSource, item_select

MAX_KEY_AGE = timedelta(days=730)


def _stale() -> Select[Any]:
    k = LogKey
    too_old = k.created_at + literal(MAX_KEY_AGE, Interval())
    query = item_select(k, about=k.name, since=too_old)
    return query.where(k.retired_at.is_(None), too_old <= NOW)


SOURCES = (
    InboxSource(
        name="log-signing-key",
        group="reviews",
        needs=permissions.KEEP,
        select=_stale,
        icon="signature",
        verb="Open",
        title=lambda _row: "The signing key of the audit log is more than two years old",
        detail=lambda _row: "The operator rotates it with governance audit rotate-key",
        why="you look after the audit log",
        endpoint="logbook.checkpoints",
        values=lambda _row: {},
    ),
)
