"""Queries for risks, with everything that their residual score and acceptance depend on.

    posture()             all open risks; six statements, plus those of the control summaries
    posture_of(risk)      the same for one risk, open or closed
    risks_of(system_id)   the open risks of an AI system, for its page
    find_risk(id, lock)   the row, for an action
    scales(), scale()     all versions of the scale; the version in use

Control statuses are those of the control list (controls/control_list.py), read once for all risks.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from governance.assurance.controls.control_list import control_summaries
from governance.assurance.controls.models import Control
from governance.assurance.controls.status import StatusName
from governance.assurance.risks.acceptance_state import (
    AcceptanceState,
    GivenAcceptance,
    acceptance_state,
)
from governance.assurance.risks.models import (
    Risk,
    RiskAcceptance,
    RiskControl,
    RiskScale,
    RiskScore,
    RiskSystem,
)
from governance.assurance.risks.scales import DEFAULT, Scale, same_steps
from governance.assurance.risks.scoring import Axis, Mitigation, Residual, residual
from governance.kernel import clock
from governance.kernel.data.db import among, find, find_several, session
from governance.kernel.data.selects import Rows, Selected, one_of
from governance.kernel.pages.record import read_only
from governance.operations.systems.models import AISystem

APPROVAL = "risk_acceptance"
ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SystemName:
    """An AI system that has a risk."""

    id: UUID
    key: str
    name: str
    is_retired: bool


@dataclass(frozen=True)  # Without slots, so that cached_property works.
class RiskPosture:
    """The current state of a risk. `systems` is empty if it concerns all of them.

    `is_comparable` is False while the risk is scored on a scale with other steps than the one in
    use. `scale` is then the scale it was scored on.
    """

    risk: Risk
    scale: Scale
    is_comparable: bool
    systems: tuple[SystemName, ...]
    mitigations: tuple[Mitigation, ...]
    given: RiskAcceptance | None
    requested: RiskAcceptance | None
    given_scale: Scale | None
    today: date

    @cached_property
    def residual(self) -> Residual:
        return residual(self.risk.likelihood, self.risk.impact, self.mitigations)

    @property
    def inherent_score(self) -> int:
        return self.risk.likelihood * self.risk.impact

    @property
    def inherent_band(self) -> str:
        return self.scale.band(self.inherent_score)

    @property
    def band(self) -> str:
        return self.scale.band(self.residual.score)

    @property
    def is_above_appetite(self) -> bool:
        return self.residual.score > self.scale.appetite

    @property
    def needs_acceptance(self) -> bool:
        return self.is_above_appetite or self.risk.treatment == "accept"

    @cached_property
    def acceptance(self) -> AcceptanceState:
        given = None
        if self.given is not None:
            given = GivenAcceptance(
                self.given.likelihood,
                self.given.impact,
                (self.given_scale or self.scale).steps,
                self.given.expires_on,
                self.given.stale_at is not None,
            )
        return acceptance_state(
            is_needed=self.needs_acceptance,
            given=given,
            is_requested=self.requested is not None,
            residual=(self.residual.likelihood, self.residual.impact),
            scale_steps=self.scale.steps if self.is_comparable else (0, 0),
            due_on=self.risk.due_on,
            today=self.today,
        )

    @property
    def effective_count(self) -> int:
        return sum(each.is_full for each in self.mitigations)

    @property
    def control_words(self) -> tuple[str, bool]:
        """Return a text like "2 of 3 effective", and whether a control fails."""
        count, failing = len(self.mitigations), sum(m.status == "failing" for m in self.mitigations)
        if not count:
            return "none mapped", False
        if failing:
            return f"{failing} of {count} {'fails' if failing == 1 else 'fail'}", True
        return f"{self.effective_count} of {count} effective", False

    @property
    def system_words(self) -> str:
        return ", ".join(each.key for each in self.systems) or "all"


SCALES = Rows(RiskScale, lambda _m: true(), lambda m: (m.number,))
ACCEPTANCES = Rows(
    RiskAcceptance,
    lambda m: one_of(m.risk_id, "risk_ids"),
    lambda m: (m.requested_at.desc(), m.id.desc()),
)
SCORES = Rows(RiskScore, lambda m: one_of(m.risk_id, "risk_ids"), lambda m: (m.at, m.id))
SYSTEMS = Selected[tuple[Any, ...]](lambda: _systems_where(one_of(RiskSystem.risk_id, "risk_ids")))
CONTROLS = Selected[tuple[Any, ...]](
    lambda: _controls_where(one_of(RiskControl.risk_id, "risk_ids"))
)


# ---- the scale


def scales() -> dict[int, Scale]:
    """Return all versions of the scale by number, in one statement."""
    rows = SCALES.read()
    return {DEFAULT.number: DEFAULT} | {row.number: _scale(row) for row in rows}


def _scale(row: RiskScale) -> Scale:
    return Scale(
        row.number,
        tuple(row.likelihood),
        tuple(row.impact),
        row.low_to,
        row.medium_to,
        row.high_to,
        row.appetite,
        row.max_acceptance_days,
    )


def scale() -> Scale:
    """Return the version in use."""
    return newest(scales())


def newest(known: Mapping[int, Scale]) -> Scale:
    return known[max(known)]


def is_comparable(risk: Risk, known: Mapping[int, Scale]) -> bool:
    """Check whether the risk's scale has the same steps as the one in use."""
    return same_steps(known[risk.scale_number], newest(known))


def scale_rows() -> Sequence[RiskScale]:
    """Return the tenant's own versions, newest first."""
    return session().scalars(select(RiskScale).order_by(RiskScale.number.desc())).all()


# ---- risks


def find_risk(risk_id: UUID, *, lock: bool = False) -> Risk:
    return find(Risk, risk_id, what="risk", lock=lock)


def find_risks(ids: Collection[UUID], *, lock: bool = False) -> Sequence[Risk]:
    """Return the existing risks with these ids, by number. `lock` locks the rows."""
    return find_several(Risk, ids, order=Risk.number, lock=lock)


def next_number() -> int:
    return (session().scalar(select(func.max(Risk.number))) or 0) + 1


def open_risk_called(title: str) -> Risk | None:
    query = select(Risk).where(func.lower(Risk.title) == title.lower(), Risk.closed_at.is_(None))
    return session().scalars(query.order_by(Risk.number).limit(1)).one_or_none()


# For read-only use: creating ORM rows would take most of the time of a list of 2,000 risks.
_COLUMNS, _row = read_only(Risk)


def open_risks() -> Sequence[Risk]:
    return (
        session().scalars(select(Risk).where(Risk.closed_at.is_(None)).order_by(Risk.number)).all()
    )


def posture(*, closed: bool = False) -> list[RiskPosture]:
    """Return all open risks by number, or the closed ones."""
    if closed:
        is_closed = Risk.closed_at.is_not(None)
        return _posture(_facts(is_closed), select(Risk.id).where(is_closed))
    return _posture(_facts(Risk.closed_at.is_(None)), open_ids())


def _facts(which: ColumnElement[bool]) -> list[Risk]:
    query = select(*_COLUMNS).where(which).order_by(Risk.number)
    return [_row(row) for row in session().execute(query)]


def posture_of_open(risks: Sequence[Risk]) -> list[RiskPosture]:
    """Return the posture of these open risks, in their order."""
    return _posture(risks, open_ids())


def open_ids() -> Select[UUID]:
    """Select the ids of all open risks. A subquery is faster than sending 2,000 ids."""
    return select(Risk.id).where(Risk.closed_at.is_(None))


def posture_of(risk: Risk) -> RiskPosture:
    return _posture([risk])[0]


def _is_of_system(risk: type[Risk]) -> ColumnElement[bool]:
    named = RiskSystem.system_id == bindparam("system_id", type_=Uuid())
    return or_(risk.id.in_(select(RiskSystem.risk_id).where(named)), ~_concerns_some())


OF_SYSTEM = Rows(
    Risk, lambda m: and_(m.closed_at.is_(None), _is_of_system(m)), lambda m: (m.number,)
)


def risks_of(system_id: UUID) -> list[RiskPosture]:
    """Return the open risks of an AI system and those of all systems, highest residual score first."""
    return by_score(_posture(OF_SYSTEM.read(system_id=system_id)))


def risks_naming(system_id: UUID) -> Sequence[Risk]:
    """Return the open risks that name the system, by number."""
    mine = select(RiskSystem.risk_id).where(RiskSystem.system_id == system_id)
    query = select(Risk).where(Risk.closed_at.is_(None), Risk.id.in_(mine))
    return session().scalars(query.order_by(Risk.number)).all()


def _concerns_some() -> Any:
    return select(RiskSystem.id).where(RiskSystem.risk_id == Risk.id).exists()


def by_score(found: Iterable[RiskPosture]) -> list[RiskPosture]:
    """Sort by residual score, highest first, then by number."""
    return sorted(found, key=lambda each: (-each.residual.score, each.risk.number))


def _posture(risks: Sequence[Risk], which: Select[UUID] | None = None) -> list[RiskPosture]:
    """Return the posture of the risks. `which` selects their ids, for a large number of risks."""
    if not risks:
        return []
    ids = which if which is not None else [risk.id for risk in risks]
    known, today = scales(), clock.today()
    in_use = newest(known)
    comparable = {number for number, each in known.items() if same_steps(each, in_use)}
    systems, mitigations = _systems(ids), _mitigations(ids)
    given, requested = _acceptances(ids)
    return [
        RiskPosture(
            risk,
            in_use if risk.scale_number in comparable else known[risk.scale_number],
            risk.scale_number in comparable,
            systems.get(risk.id, ()),
            mitigations.get(risk.id, ()),
            given.get(risk.id),
            requested.get(risk.id),
            known[given[risk.id].scale_number] if risk.id in given else None,
            today,
        )
        for risk in risks
    ]


type SomeIds = Collection[UUID] | Select[UUID]


def _systems_where(theirs: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(RiskSystem.risk_id, AISystem.id, AISystem.key, AISystem.name, AISystem.retired_at)
        .join(AISystem, AISystem.id == RiskSystem.system_id)
        .where(theirs)
        .order_by(AISystem.key)
    )


def _controls_where(theirs: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(RiskControl, Control.ref, Control.title, Control.retired_at)
        .join(Control, Control.id == RiskControl.control_id)
        .where(theirs)
        .order_by(Control.ref)
    )


def _systems(ids: SomeIds) -> dict[UUID, tuple[SystemName, ...]]:
    rows: Iterable[Sequence[Any]] = (
        session().execute(_systems_where(RiskSystem.risk_id.in_(ids)))
        if isinstance(ids, Select)
        else SYSTEMS.read(risk_ids=tuple(ids))
    )
    found: dict[UUID, tuple[SystemName, ...]] = {}
    for risk_id, system_id, key, name, retired_at in rows:
        named = SystemName(system_id, key, name, retired_at is not None)
        found[risk_id] = (*found.get(risk_id, ()), named)
    return found


def _mitigations(ids: SomeIds) -> dict[UUID, tuple[Mitigation, ...]]:
    rows: Sequence[Sequence[Any]] = (
        session().execute(_controls_where(RiskControl.risk_id.in_(ids))).all()
        if isinstance(ids, Select)
        else CONTROLS.read(risk_ids=tuple(ids))
    )
    known = _statuses() if rows else {}
    found: dict[UUID, tuple[Mitigation, ...]] = defaultdict(tuple)
    for link, ref, title, retired_at in rows:
        status = None if retired_at else known.get(link.control_id)
        found[link.risk_id] += (
            Mitigation(link.control_id, ref, title, cast("Axis", link.reduces), link.steps, status),
        )
    return found


def _statuses() -> dict[UUID, StatusName]:
    """Return the current status of each live control. Evidence due soon still counts."""
    return {each.control.control_id: each.status.current for each in control_summaries()}


def _acceptances(
    ids: SomeIds,
) -> tuple[dict[UUID, RiskAcceptance], dict[UUID, RiskAcceptance]]:
    """Return the last given acceptance and the open request, each by risk."""
    a, states = RiskAcceptance, ("accepted", "requested")
    found: Iterable[RiskAcceptance]
    if isinstance(ids, Select):
        query = select(a).where(a.risk_id.in_(ids), a.state.in_(states))
        found = session().scalars(query.order_by(a.requested_at, a.id))
    else:
        past = ACCEPTANCES.read(risk_ids=tuple(ids))
        found = [each for each in reversed(past) if each.state in states]
    given, requested = dict[UUID, RiskAcceptance](), dict[UUID, RiskAcceptance]()
    for row in found:
        (given if row.state == "accepted" else requested)[row.risk_id] = row
    return given, requested


# ---- parts of one risk


def system_ids(risk_id: UUID) -> set[UUID]:
    return set(session().scalars(select(RiskSystem.system_id).where(RiskSystem.risk_id == risk_id)))


def system_links(risk_id: UUID, ids: Collection[UUID]) -> Sequence[RiskSystem]:
    query = select(RiskSystem).where(
        RiskSystem.risk_id == risk_id, among(RiskSystem.system_id, ids)
    )
    return session().scalars(query).all()


def control_link(risk_id: UUID, control_id: UUID) -> RiskControl | None:
    query = select(RiskControl).where(
        RiskControl.risk_id == risk_id, RiskControl.control_id == control_id
    )
    return session().scalars(query).one_or_none()


def acceptance(acceptance_id: UUID, *, lock: bool = False) -> RiskAcceptance:
    return find(RiskAcceptance, acceptance_id, what="acceptance", lock=lock)


def acceptances(risk_id: UUID) -> Sequence[RiskAcceptance]:
    """Return all acceptances of a risk, newest first."""
    return ACCEPTANCES.read(risk_ids=(risk_id,))


def open_request(risk_id: UUID, *, lock: bool = False) -> RiskAcceptance | None:
    query = select(RiskAcceptance).where(
        RiskAcceptance.risk_id == risk_id, RiskAcceptance.state == "requested"
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def given_acceptances(risk_ids: Collection[UUID]) -> Sequence[RiskAcceptance]:
    """Return and lock the given acceptances of these risks."""
    a = RiskAcceptance
    query = select(a).where(among(a.risk_id, risk_ids), a.state == "accepted")
    return session().scalars(query.order_by(a.id).with_for_update()).all()


# ---- the history of scores


def scores(risk_id: UUID) -> Sequence[RiskScore]:
    """Return the scores of a risk, oldest first."""
    return SCORES.read(risk_ids=(risk_id,))


class ScoreThen(NamedTuple):
    """A residual score at a moment, with its cause."""

    risk_id: UUID
    residual_likelihood: int
    residual_impact: int
    cause: str


def scores_then(until: datetime = ALWAYS) -> dict[UUID, ScoreThen]:
    """Return the newest score of each open risk, up to a moment if given, in one statement."""
    query = (
        select(*(getattr(RiskScore, name) for name in ScoreThen._fields))
        .where(RiskScore.risk_id.in_(open_ids()), RiskScore.at <= until)
        .ext(distinct_on(RiskScore.risk_id))
        .order_by(RiskScore.risk_id, RiskScore.at.desc(), RiskScore.id.desc())
    )
    return {row.risk_id: ScoreThen._make(row) for row in session().execute(query)}


def last_scores(risk_ids: Collection[UUID]) -> dict[UUID, RiskScore]:
    """Return the newest score of each risk, in one statement."""
    query = select(RiskScore).where(among(RiskScore.risk_id, risk_ids))
    query = query.ext(distinct_on(RiskScore.risk_id))
    query = query.order_by(RiskScore.risk_id, RiskScore.at.desc(), RiskScore.id.desc())
    return {row.risk_id: row for row in session().scalars(query)}
