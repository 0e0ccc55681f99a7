"""Releases of an AI system that are served or in a rollout, by the record of rollouts.

roles_of(system_ids)          today, for pages and the effects of runs; one statement
recorded_of(system_ids)       each release that was ever served or in a rollout; the same statement
served_at(system_id, at)      the releases that were served at a moment, by the rollouts
                              that had started by then, or else as somebody stated it
is_unknown(system_id, release)     True if the record names other releases, and not this one

A rollout serves its `previous` release until it is finished, and its own release from the first
stage with a share. While it is halted, all keys get the previous one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.kernel.data.db import session
from governance.kernel.data.selects import Rows, one_of, read_rows
from governance.operations.evaluations.ports import STATED, ReleaseRole, Roles
from governance.operations.evaluations.releases import served_releases as evaluated_releases
from governance.operations.evaluations.releases.models import ServedRelease
from governance.operations.gates.stage import BASIS_POINTS
from governance.operations.rollouts.life_cycle import OPEN
from governance.operations.rollouts.models import Rollout, RolloutStep

SERVED = ReleaseRole("Served", is_served=True)
AFTER = {  # State after each step
    "start": "running",
    "promote": "running",
    "resume": "running",
    "pause": "paused",
    "halt": "halted",
    "roll_back": "rolled_back",
    "finish": "finished",
}


def roles_of(system_ids: Collection[UUID]) -> Mapping[UUID, Roles]:
    """Return the role of each release in the system's rollouts.

    For a system without rollouts, return the stated one.
    """
    rollouts, statements = _record(tuple(system_ids))
    by_feature: dict[tuple[UUID, UUID], list[Rollout]] = defaultdict(list)
    for row in rollouts:
        by_feature[row.system_id, row.feature_id].append(row)
    found: dict[UUID, dict[str, ReleaseRole]] = defaultdict(dict)
    for (system_id, _feature), rows in by_feature.items():
        for release, role in _roles(rows):
            known = found[system_id].get(release)
            if known is None or not known.is_served:
                found[system_id][release] = role
    for stated in statements:  # Newest first
        found.setdefault(stated.system_id, {stated.release: STATED})
    return found


def recorded_of(system_ids: Collection[UUID]) -> Mapping[UUID, set[str]]:
    """Return each release that was ever served or in a rollout, by system.

    Systems without one are left out.
    """
    rollouts, statements = _record(tuple(system_ids))
    found: dict[UUID, set[str]] = defaultdict(set)
    for row in rollouts:
        found[row.system_id] |= {row.previous, row.release}
    for stated in statements:
        found[stated.system_id].add(stated.release)
    return found


def _record(system_ids: tuple[UUID, ...]) -> tuple[Sequence[Rollout], Sequence[ServedRelease]]:
    """Return the systems' rollouts and statements, newest first. Runs one statement."""
    rollouts, statements = read_rows(*RECORD, system_ids=system_ids)
    return rollouts, statements


RECORD = (
    Rows(
        Rollout,
        lambda m: one_of(m.system_id, "system_ids") & (m.state != "cancelled"),
        lambda m: (m.feature_id, m.number.desc()),
    ),
    Rows(
        ServedRelease,
        lambda m: one_of(m.system_id, "system_ids"),
        lambda m: (m.since.desc(), m.created_at.desc()),
    ),
)


def _roles(rows: Iterable[Rollout]) -> Iterable[tuple[str, ReleaseRole]]:
    """Yield the roles by the rollouts of one feature, newest first.

    They are of the rollout that serves it, and of the open ones.
    """
    serving: Rollout | None = None
    for row in rows:
        if serving is None and row.started_at is not None:
            serving = row
            yield from ((each, SERVED) for each in _served(row, row.state, row.position)[:1])
        if row.state in OPEN:
            is_served = row.release in _served(row, row.state, row.position)
            yield row.release, ReleaseRole(f"{row.ref}, {_where(row)}", is_served)
            if serving is None:
                yield row.previous, SERVED


def _where(row: Rollout) -> str:
    stage = "" if row.stage is None else f" {row.stage.where}"
    return f"{row.state_name.lower()}{stage}"


def _served(row: Rollout, state: str, position: int) -> list[str]:
    """Return the releases that the rollout serves in this state, the main one first."""
    if state == "finished":
        return [row.release]
    share = row.stages[position].share if position >= 0 else 0
    if state not in {"running", "paused"} or not share:
        return [row.previous]
    return [row.release] if share == BASIS_POINTS else [row.previous, row.release]


def served_at(system_id: UUID, at: datetime) -> set[str]:
    """Return the releases that the system's features served at that moment.

    Empty if nothing states it.
    """
    step = RolloutStep
    query = (
        select(Rollout, step)
        .join(step, step.rollout_id == Rollout.id)
        .where(Rollout.system_id == system_id, step.step != "cancel", step.created_at <= at)
        .ext(distinct_on(Rollout.feature_id))
        .order_by(Rollout.feature_id, Rollout.number.desc(), step.number.desc())
    )
    rows = session().execute(query).all()
    if not rows:
        stated = evaluated_releases.stated_at(system_id, at.date())
        return {stated.release} if stated else set()
    return {
        release
        for row, taken in rows
        for release in _served(row, AFTER[taken.step], taken.position)
    }


def is_unknown(system_id: UUID, release: str) -> bool:
    """Return True if the system has a record of rollouts, and none has the release."""
    roles = roles_of([system_id]).get(system_id)
    return roles is not None and release not in roles
