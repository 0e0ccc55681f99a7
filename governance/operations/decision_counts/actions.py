"""Add to the counts, and fold old minutes into days so that the table stays small."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import batched

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from governance.kernel import clock, current
from governance.kernel.db import session
from governance.kernel.ids import uuid7
from governance.operations.decision_counts.models import DecisionCount

type Counted = Mapping[
    tuple[datetime, str, str, str], int
]  # (minute, system, flag, value) → how often

MINUTE_RETENTION = timedelta(days=2)
DAY_RETENTION = timedelta(days=400)
MAX_ROWS = 5_000  # of a statement; PostgreSQL takes 65,535 parameters
KEY = ["tenant_id", "grain", "at", "system", "flag", "value"]


def add(counted: Counted) -> None:
    """Add the counts of a worker, in the order of their key, so that workers never deadlock."""
    tenant_id, now = current.actor().tenant_id, clock.now()
    rows = [
        {
            "id": uuid7(),
            "tenant_id": tenant_id,
            "grain": "minute",
            "at": at,
            "system": system,
            "flag": flag,
            "value": value,
            "asked": asked,
            "created_at": now,
        }
        for (at, system, flag, value), asked in sorted(counted.items())
    ]
    for some in batched(rows, MAX_ROWS):
        write = insert(DecisionCount).values(some)
        more = {"asked": DecisionCount.asked + write.excluded.asked}
        session().execute(write.on_conflict_do_update(index_elements=KEY, set_=more))


def fold() -> int:
    """Fold minutes older than two days into days, and delete old days; return how many minutes."""
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
    # a cursor's result
    gone = session().execute(delete(c).where(*old)).rowcount  # type: ignore[attr-defined]
    session().execute(delete(c).where(c.grain == "day", c.at < clock.now() - DAY_RETENTION))
    return int(gone)
