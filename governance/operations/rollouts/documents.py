"""Points about rollouts in an AI system's documents (kernel/record_points.py)."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select

from governance.kernel.data.db import session
from governance.kernel.formatting import long_day
from governance.kernel.record_points import RecordPoint
from governance.operations.rollouts.models import Rollout

MAX_ROLLOUTS = 10
PLANNED_CHANGES, CHANGES_OVER_ITS_LIFE = "2.f", "6"


def points_of(system_id: UUID) -> Iterator[RecordPoint]:
    """Yield the furthest stage of each of the newest releases. Runs one statement."""
    query = (
        select(Rollout)
        .where(Rollout.system_id == system_id, Rollout.state != "cancelled")
        .order_by(Rollout.number.desc())
        .limit(MAX_ROLLOUTS)
    )
    for row in session().scalars(query):
        yield RecordPoint(
            (PLANNED_CHANGES, CHANGES_OVER_ITS_LIFE) if row.is_open else (CHANGES_OVER_ITS_LIFE,),
            _sentence(row),
            f"Rollout {row.ref}",
            "rollouts.rollout",
            {"rollout_id": str(row.id)},
        )


def _sentence(row: Rollout) -> str:
    release, where = f"Release {row.release}", row.stage.where if row.stage else ""
    ended = f" on {long_day(row.ended_at)}" if row.ended_at else ""
    if row.state == "planned":
        stages = ", ".join(each.name for each in row.stages)
        return f"{release} is planned to replace {row.previous} in stages: {stages}."
    if row.state == "finished":
        return f"{release} replaced {row.previous} for everybody{ended}."
    if row.state == "rolled_back":
        return f"{release} was rolled back {where}{ended}: everybody has {row.previous} again."
    return f"{release} is to replace {row.previous}: it is {row.state_name.lower()} {where}."
