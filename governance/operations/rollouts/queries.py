"""Rollouts, their steps, the freeze calendar, and data for the decision API.

rollout(id), page_of(…)      one rollout, a page of the list
rollouts_of(system_id)       the newest of a system
steps(id)                    its steps, newest first
freezes()                    current and future freezes, and those of the last months
serving()                    the answers of each feature's newest started rollout
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Row,
    ScalarSelect,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows, Selected, read_rows
from governance.kernel.errors import NotFound
from governance.kernel.intervals import Span
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.operations.gates.stage import BASIS_POINTS, RINGS
from governance.operations.policies import queries as policies
from governance.operations.rollouts.ladders import PEOPLE
from governance.operations.rollouts.life_cycle import OPEN, UNDER_WAY
from governance.operations.rollouts.models import Rollout, RolloutFreeze, RolloutStep
from governance.operations.systems.models import AISystem, SystemFeature

STEP = "rollout_step"  # Kind of approval
SORTS: Mapping[str, tuple[Any, ...]] = {"rollout": (Rollout.number,)}
_MOMENT = DateTime(timezone=True)
MAX_FREEZES = 500
MAX_EARLIER = 8  # Rollouts of the same feature on a page


# ---- served releases


@dataclass(frozen=True, slots=True)
class Serving:
    """The decision API's data for a feature, with the slugs of feature and system.

    `share` is in basis points of the targeting keys, 0 while no key gets the candidate. `variants`
    are the current and the candidate release. `rings` are the included levels of `release_ring`.
    `stage` is "Shadow", "5%" …; `state` is running, paused, halted, finished or rolled_back.
    """

    feature: str
    system: str
    salt: str
    share: int
    variants: tuple[str, str]
    rings: tuple[str, ...]
    stage: str
    state: str
    feature_id: UUID
    system_id: UUID


def serving() -> list[Serving]:
    """Return the data of each feature's newest started rollout. Runs one statement.

    A halted or rolled back rollout serves the current release to all keys; a finished one serves
    its own release to all keys.
    """
    query = (
        select(Rollout, SystemFeature.key, AISystem.key)
        .join(
            SystemFeature,
            (SystemFeature.tenant_id == Rollout.tenant_id)
            & (SystemFeature.id == Rollout.feature_id),
        )
        .join(
            AISystem,
            (AISystem.tenant_id == Rollout.tenant_id) & (AISystem.id == Rollout.system_id),
        )
        .where(Rollout.started_at.is_not(None))
        .ext(distinct_on(Rollout.feature_id))
        .order_by(Rollout.feature_id, Rollout.number.desc())
    )
    return sorted(
        (_serving(*row) for row in session().execute(query)),
        key=lambda each: (each.system, each.feature),
    )


def news_of(row: Rollout) -> dict[str, Any]:
    """Return the feature's new data, for the notification of the commit."""
    told = _serving(row, "", "")
    names = ("feature_id", "share", "variants", "rings", "stage", "state")
    return {"rollout": {name: getattr(told, name) for name in names}}


def _serving(row: Rollout, feature: str, system: str) -> Serving:
    stage = row.stages[row.position]
    share, rings = 0, tuple[str, ...]()
    if row.state == "finished":
        share, rings = BASIS_POINTS, RINGS
    elif row.state in {"running", "paused"}:
        share, rings = stage.share, stage.rings
    return Serving(
        feature,
        system,
        str(row.feature_id),
        share,
        (row.previous, row.release),
        rings,
        stage.name,
        row.state,
        row.feature_id,
        row.system_id,
    )


# ---- rollouts


def rollout(rollout_id: UUID, *, lock: bool = False) -> Rollout:
    """Return the rollout. Raises NotFound."""
    return find(Rollout, rollout_id, what="rollout", lock=lock)


def exists(rollout_id: UUID) -> bool:
    return session().scalar(select(Rollout.id).where(Rollout.id == rollout_id)) is not None


def next_number() -> int:
    """Return the number of the tenant's next rollout. The caller holds the lock of rollouts."""
    return (session().scalar(select(func.max(Rollout.number))) or 0) + 1


_ROLLOUT = bindparam("rollout_id", type_=Uuid())


def _its(column: Any) -> ScalarSelect[Any]:
    """Select one column of the rollout."""
    its = aliased(Rollout)
    return select(getattr(its, column)).where(its.id == _ROLLOUT).scalar_subquery()


WITH_ABOUT: tuple[Rows[Any], ...] = (
    Rows(Rollout, lambda m: m.id == _ROLLOUT, lambda m: (m.id,)),
    Rows(AISystem, lambda m: m.id == _its("system_id"), lambda m: (m.id,)),
    Rows(SystemFeature, lambda m: m.id == _its("feature_id"), lambda m: (m.id,)),
)


def with_about(rollout_id: UUID) -> tuple[Rollout, AISystem, SystemFeature]:
    """Return the rollout with its AI system and feature. Raises NotFound."""
    rows, found, features = read_rows(*WITH_ABOUT, rollout_id=rollout_id)
    if not rows:
        raise NotFound("This rollout doesn't exist, or you don't have access to it.")
    return rows[0], found[0], features[0]


def about(row: Rollout) -> Row[AISystem, SystemFeature]:
    """Return its AI system and feature. Runs one statement."""
    query = (
        select(AISystem, SystemFeature)
        .join(SystemFeature, SystemFeature.system_id == AISystem.id)
        .where(AISystem.id == row.system_id, SystemFeature.id == row.feature_id)
    )
    return session().execute(query).one()


@dataclass(frozen=True, slots=True)
class Around:
    """Further data of a rollout's page.

    It has its steps and earlier rollouts of the same feature, newest first; the freezes that end
    after its clock began; and the open request to take its next step.
    """

    steps: Sequence[RolloutStep]
    earlier: Sequence[Rollout]
    freezes: Sequence[RolloutFreeze]
    request: Approval | None


def around(row: Rollout) -> Around:
    """Return the further data of a rollout's page."""
    found, before, frozen, requests = read_rows(
        *AROUND, rollout_id=row.id, moment=policies.this_moment()
    )
    return Around(found, before, frozen, requests[0] if requests else None)


AROUND: tuple[Selected[Any], ...] = (
    Selected(lambda: _steps(_ROLLOUT)),
    Rows(
        Rollout,
        lambda m: and_(
            m.feature_id == _its("feature_id"),
            m.number < _its("number"),
            m.started_at.is_not(None),
        ),
        lambda m: (m.number.desc(),),
        limit=MAX_EARLIER,
    ),
    Selected(lambda: _freezes(func.coalesce(_its("since"), bindparam("moment", type_=_MOMENT)))),
    Selected(lambda: approvals.select_open(STEP, _ROLLOUT)),
)


def people_needed(row: Rollout, system: AISystem) -> int:
    """Return how many people a step needs, by the stricter of current and planned risk class."""
    return max(PEOPLE[system.lane], PEOPLE[row.risk_class])


def page_of(
    wanted: Mapping[str, str],
    *,
    sort: str = "-rollout",
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """Return a page of rollouts with system and feature. `wanted` has q, state and system."""
    return sorted_page(_filtered(wanted), SORTS, sort, after=after, size=size)


def _with_names() -> Select[Any]:
    query = (
        select(Rollout, AISystem, SystemFeature)
        .join(AISystem, AISystem.id == Rollout.system_id)
        .join(SystemFeature, SystemFeature.id == Rollout.feature_id)
    )
    return cast("Select[Any]", query)


def _filtered(wanted: Mapping[str, str]) -> Select[Any]:
    query = _with_names()
    if "state" in wanted:
        query = query.where(Rollout.state == wanted["state"])
    if "system" in wanted:
        query = query.where(AISystem.key == wanted["system"])
    if "q" in wanted:
        columns = (Rollout.release, Rollout.previous, AISystem.name, SystemFeature.key)
        query = query.where(or_(*(c.icontains(wanted["q"], autoescape=True) for c in columns)))
    return query


def counts() -> dict[str, int]:
    """Count the open rollouts, the halted ones among them, and all."""
    query = select(
        func.count().filter(Rollout.state.in_(UNDER_WAY)).label("under_way"),
        func.count().filter(Rollout.state == "halted").label("halted"),
        func.count().label("every"),
    ).select_from(Rollout)
    row = session().execute(query).one()
    return {"under_way": row.under_way, "halted": row.halted, "every": row.every}


def rollouts_of(
    system_id: UUID, *, limit: int = 50
) -> Sequence[Row[Rollout, AISystem, SystemFeature]]:
    """Return the newest rollouts of a system."""
    query = _with_names().where(Rollout.system_id == system_id)
    return session().execute(query.order_by(Rollout.number.desc()).limit(limit)).all()


def open_rollouts() -> Sequence[Rollout]:
    """Return the open rollouts of active AI systems, by number. Runs one statement."""
    query = (
        select(Rollout)
        .join(AISystem, AISystem.id == Rollout.system_id)
        .where(Rollout.state.in_(OPEN), AISystem.retired_at.is_(None))
    )
    return session().scalars(query.order_by(Rollout.number)).all()


def open_of(feature_id: UUID) -> Rollout | None:
    """Return the open rollout of a feature, at most one."""
    query = select(Rollout).where(Rollout.feature_id == feature_id, Rollout.state.in_(OPEN))
    return session().scalars(query).one_or_none()


def serving_now(feature_id: UUID) -> str | None:
    """Return the release that all keys get from the newest ended rollout of the feature."""
    query = (
        select(Rollout)
        .where(Rollout.feature_id == feature_id, Rollout.state.in_(("finished", "rolled_back")))
        .order_by(Rollout.number.desc())
        .limit(1)
    )
    last = session().scalars(query).one_or_none()
    if last is None:
        return None
    return last.release if last.state == "finished" else last.previous


def served(system_id: UUID) -> Select[str, datetime]:
    """Select (release, since when) that all keys get from the system's last ended rollout.

    No row if none has ended.
    """
    query = select(
        case((Rollout.state == "finished", Rollout.release), else_=Rollout.previous).label(
            "release"
        ),
        Rollout.ended_at.label("since"),
    ).where(
        Rollout.system_id == system_id,
        Rollout.state.in_(("finished", "rolled_back")),
        Rollout.ended_at.is_not(None),
    )
    return query.order_by(Rollout.ended_at.desc(), Rollout.number.desc()).limit(1)


def guarded() -> Sequence[Rollout]:
    """Return the running rollouts with a share, by number. Automation watches them."""
    query = select(Rollout).where(Rollout.state == "running", Rollout.position > 0)
    return session().scalars(query.order_by(Rollout.number)).all()


def steps(rollout_id: UUID) -> Sequence[RolloutStep]:
    """Return its steps, newest first."""
    return session().scalars(_steps(rollout_id)).all()


def _steps(rollout_id: Any) -> Select[RolloutStep]:
    query = select(RolloutStep).where(RolloutStep.rollout_id == rollout_id)
    return query.order_by(RolloutStep.number.desc())


def last_steps(rollout_ids: Collection[UUID]) -> dict[UUID, RolloutStep]:
    """Return the newest step of each. Runs one statement."""
    query = (
        select(RolloutStep)
        .where(RolloutStep.rollout_id.in_(rollout_ids))
        .ext(distinct_on(RolloutStep.rollout_id))
        .order_by(RolloutStep.rollout_id, RolloutStep.number.desc())
    )
    return {each.rollout_id: each for each in session().scalars(query)}


def next_step_number(rollout_id: UUID) -> int:
    query = select(func.max(RolloutStep.number)).where(RolloutStep.rollout_id == rollout_id)
    return (session().scalar(query) or 0) + 1


def open_request(row: Rollout) -> Approval | None:
    """Return the open request to take its next step."""
    return approvals.open_approval(STEP, row.id)


# ---- freezes


def freeze(freeze_id: UUID, *, lock: bool = False) -> RolloutFreeze:
    return find(RolloutFreeze, freeze_id, what="freeze", lock=lock)


def freeze_exists(freeze_id: UUID) -> bool:
    query = select(RolloutFreeze.id).where(RolloutFreeze.id == freeze_id)
    return session().scalar(query) is not None


def freezes(*, since: datetime | None = None) -> Sequence[RolloutFreeze]:
    """Return the freezes that end after the instant, by default now, in order."""
    return session().scalars(_freezes(since or clock.now())).all()


def _freezes(since: Any) -> Select[RolloutFreeze]:
    f = RolloutFreeze
    query = select(f).where(
        f.ends_at > since,
        or_(f.cancelled_at.is_(None), f.cancelled_at > f.starts_at),
    )
    return query.order_by(f.starts_at, f.id).limit(MAX_FREEZES)


def spans_for(row: Rollout) -> list[Span]:
    """Return the spans of freezes that the clock of its stage leaves out."""
    return [Span(f.starts_at, f.end) for f in freezes(since=row.since) if f.end > f.starts_at]


def past_freezes(*, limit: int = 20) -> Sequence[RolloutFreeze]:
    """Return the freezes that ended or were canceled, newest first."""
    f, now = RolloutFreeze, clock.now()
    query = select(f).where(or_(f.ends_at <= now, f.cancelled_at.is_not(None)))
    return session().scalars(query.order_by(f.starts_at.desc(), f.id.desc()).limit(limit)).all()
