"""Add to the counts, and fold old minutes into days so that the table stays small."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.operations.decision_counts.models import DecisionCount

type Counted = Mapping[
    tuple[datetime, str, str, str], int
]  # (minute, system, flag, value) → how often

MINUTE_RETENTION = timedelta(days=2)
DAY_RETENTION = timedelta(days=400)
KEY = ["tenant_id", "grain", "at", "system", "flag", "value"]
ADD = text(
    "INSERT INTO decision_counts AS c"
    " (id, tenant_id, grain, at, system, flag, value, asked, created_at)"
    " SELECT given.id, :tenant, 'minute', given.at, given.system, given.flag, given.value,"
    " given.asked, :now FROM unnest(CAST(:ids AS uuid[]), CAST(:at AS timestamptz[]),"
    " CAST(:systems AS text[]), CAST(:flags AS text[]), CAST(:values AS text[]),"
    " CAST(:asked AS bigint[])) AS given (id, at, system, flag, value, asked)"
    " ON CONFLICT (tenant_id, grain, at, system, flag, value)"
    " DO UPDATE SET asked = c.asked + excluded.asked"
)


def add(counted: Counted) -> None:
    """Add the counts of a worker, in the order of their key, so that workers never deadlock."""
    tenant_id, now = current.actor().tenant_id, clock.now()
    if not counted:
        return
    keys, asked = zip(*sorted(counted.items()), strict=True)
    at, systems, flags, values = (list(column) for column in zip(*keys, strict=True))
    given = {"at": at, "systems": systems, "flags": flags, "values": values, "asked": list(asked)}
    given["ids"] = [uuid7() for _ in at]
    session().execute(ADD, {"tenant": tenant_id, "now": now, **given})


def fold() -> int:
    """Fold minutes older than two days into days, and delete old days.

    Return the minutes folded.
    """
    before = (clock.now() - MINUTE_RETENTION).replace(hour=0, minute=0, second=0, microsecond=0)
    c = DecisionCount
    old = (c.grain == "minute", c.at < before)
    day = func.date_trunc("day", c.at, "UTC")
    sums = (
        select(
            func.gen_random_uuid(),
            literal(current.actor().tenant_id),
            literal("day"),
            day,
            c.system,
            c.flag,
            c.value,
            func.sum(c.asked),
            literal(clock.now()),
        )
        .where(*old)
        .group_by(day, c.system, c.flag, c.value)
    )
    write = insert(c).from_select(["id", *KEY, "asked", "created_at"], sums)
    session().execute(
        write.on_conflict_do_update(
            index_elements=KEY, set_={"asked": c.asked + write.excluded.asked}
        )
    )
    # SQLAlchemy types a delete's result without `rowcount`.
    gone = session().execute(delete(c).where(*old)).rowcount  # type: ignore[attr-defined]
    session().execute(delete(c).where(c.grain == "day", c.at < clock.now() - DAY_RETENTION))
    return int(gone)
