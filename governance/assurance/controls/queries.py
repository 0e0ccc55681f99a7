"""Controls as facts: everything a status follows from, now or as it was known at an instant.

    posture(as_of)              all live controls with mappings, proofs and tests, in two statements
    facts_of(id, at)            the same of one control
    ledger() → Ledger.at(t)     the same for many instants (twelve month ends) for the price of one;
                                remembered while the
                                tenant commits nothing (foundation/logbook/log_health.py), and with
                                it what was worked out of it
    mappings(id)                the open mappings of one control
    find_control(id, lock)      the row behind a verb

A control that rests on drills or on the policy carries their history, so the facts cost no
statement of their own. Owners and titles are always today's; what was recorded, mapped, brought in
and judged is cut at the instant. To an auditor other controls than those of his engagement are not
there, nor what they answer for elsewhere; the ledger stays whole, and what is shown of it is cut.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Case, ScalarSelect, Select, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.controls.runtime_dependencies import UNPROVEN, Live, OpenWaiver, Switch
from governance.assurance.controls.status import ControlFacts, SupportingEvidence, Test
from governance.assurance.evidence import queries as evidence
from governance.assurance.evidence.models import EvidenceLink
from governance.assurance.evidence.queries import FORMER, Piece
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.models import Person
from governance.kernel import clock
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.tenant_cache import BoundedCache
from governance.kernel.visibility_scope import Scope, limits
from governance.operations.policies.models import PolicyVersion, Waiver
from governance.operations.policies.strictness import DIMENSIONS, TIERS
from governance.operations.switches.models import Drill
from governance.operations.systems.models import AISystem, SystemFeature

OLD = (UNPROVEN + 1) * 86_400  # seconds after which a drill proves nothing any more


def posture(as_of: datetime | None = None) -> list[ControlFacts]:
    """Every control that lives at the instant, by ref, as it was known then; two statements
    whatever their number.
    """
    found = ledger().at(as_of or clock.now())
    if (held := limits()) is None:
        return found
    return [_within(held, each) for each in found if held.holds(each.control_id)]


def supported() -> Select[UUID, str, str, datetime | None]:
    """The controls that evidence can support, retired ones included (evidence/ports.py)."""
    return select(Control.id, Control.ref, Control.title, Control.retired_at)


def facts_of(control_id: UUID, at: datetime) -> ControlFacts | None:
    """One control, retired or not, as known at that moment."""
    found, held = ledger(control_id).of(control_id, at), limits()
    return found if found is None or held is None else _within(held, found)


def _within(held: Scope, facts: ControlFacts) -> ControlFacts:
    return replace(
        facts, mappings=tuple(each for each in facts.mappings if held.holds_requirement(each[0]))
    )


def find_control(control_id: UUID, *, lock: bool = False) -> Control:
    """The row, if it is in the acting person's scope."""
    held = limits()
    if held is not None and not held.holds(control_id):
        raise NotFound("This control doesn't exist, or you don't have access to it.")
    return find(Control, control_id, what="control", lock=lock)


def some(ids: Collection[UUID], *, lock: bool = False) -> Sequence[Control]:
    """These controls by ref, as far as they are here; locked, as they are now."""
    query = select(Control).where(Control.id.in_(ids)).order_by(Control.ref)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session().scalars(locked if lock else query).all()


def mappings(control_id: UUID) -> Sequence[ControlMapping]:
    """The open mappings of one control."""
    query = select(ControlMapping).where(
        ControlMapping.control_id == control_id, ControlMapping.removed_at.is_(None)
    )
    return session().scalars(query.order_by(ControlMapping.created_at)).all()


def tests(control_id: UUID) -> Sequence[ControlTest]:
    """The tests of one control, newest first."""
    query = select(ControlTest).where(ControlTest.control_id == control_id)
    return (
        session()
        .scalars(query.order_by(ControlTest.tested_on.desc(), ControlTest.created_at.desc()))
        .all()
    )


def refs_taken() -> set[str]:
    """Refs of every control, the retired ones too: a ref is never used twice."""
    return set(session().scalars(select(Control.ref)))


def choices() -> list[tuple[UUID, str]]:
    """(id, "SEC-04 Third-party penetration test") of each live control."""
    rows = session().execute(
        select(Control.id, Control.ref, Control.title)
        .where(Control.retired_at.is_(None))
        .order_by(Control.ref)
    )
    return [(row.id, f"{row.ref} {row.title}") for row in rows]


def answering(requirement_id: UUID) -> list[tuple[Control, str]]:
    """(control, coverage) of the live controls that answer for a requirement."""
    query = select(Control, ControlMapping.coverage).join(
        ControlMapping, ControlMapping.control_id == Control.id
    )
    query = query.where(
        ControlMapping.requirement_id == requirement_id,
        ControlMapping.removed_at.is_(None),
        Control.retired_at.is_(None),
    )
    return [(row[0], row[1]) for row in session().execute(query.order_by(Control.ref))]


def only_answer(control_id: UUID) -> int:
    """How many requirements nothing else would answer for without this control."""
    others = aliased(ControlMapping)
    another = (
        select(others.id)
        .join(Control, Control.id == others.control_id)
        .where(
            others.requirement_id == ControlMapping.requirement_id,
            others.control_id != control_id,
            others.removed_at.is_(None),
        )
        .where(Control.retired_at.is_(None))
        .exists()
    )
    mine = (
        select(func.count())
        .select_from(ControlMapping)
        .where(ControlMapping.control_id == control_id, ControlMapping.removed_at.is_(None))
    )
    return session().scalar(mine.where(~another)) or 0


# ---- the ledger: rows with their instants, cut at any of them


class Recorded(NamedTuple):
    """A control with all that was ever recorded about it; what is packed is packed as `_controls`
    says.
    """

    id: UUID
    ref: str
    title: str
    does: str
    kind: str
    automation: str
    cadence: str
    owner_id: UUID | None
    owner: str | None
    version: int
    created_at: datetime
    retired_at: datetime | None
    rests_on: str | None
    live: Any
    mappings: Sequence[Sequence[Any]] | None
    tests: Sequence[Sequence[Any]] | None
    links: Sequence[Sequence[Any]] | None


DERIVED = 64  # values that follow from one ledger and are kept with it


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything about controls that the tenant ever recorded; titles and owners are today's.

    Nothing in it ever changes.

    `derived` keeps what was worked out of this ledger: readers of the same facts share both.
    """

    controls: Sequence[Recorded]
    pieces: Mapping[UUID, Piece]
    derived: BoundedCache = field(
        default_factory=lambda: BoundedCache(DERIVED), compare=False, repr=False
    )

    def since(self, moment: datetime) -> float:
        """The last instant up to `moment` at which anything was recorded, came to be, or ended
        (seconds since 1970).

        Between two of them `at` gives the same; what is counted in days also moves with the day.
        """
        stamps = self.derived.get("stamps", self._stamps)
        place = bisect_right(stamps, moment.timestamp())
        return stamps[place - 1] if place else 0.0

    @property
    def first_evidence(self) -> datetime | None:
        """When the first version of any evidence was uploaded; nothing is known of coverage before
        that.
        """
        return self.derived.get("first evidence", self._first_evidence)

    def _first_evidence(self) -> datetime | None:
        return min(
            (held.known for piece in self.pieces.values() for held in piece.held), default=None
        )

    def _stamps(self) -> list[float]:
        found: set[float] = set()
        for row in self.controls:
            found.update(_instants(row))
        for piece in self.pieces.values():
            found.update(
                each.timestamp() for each in (piece.known, piece.retired) if each is not None
            )
            for held in piece.held:
                found.update(
                    each.timestamp() for each in (held.known, held.judged) if each is not None
                )
        return sorted(found)

    def at(self, moment: datetime) -> list[ControlFacts]:
        """The controls that lived at `moment`, with what was known of them then."""
        proofs = self._proofs(moment)
        return [
            _facts(row, proofs, moment)
            for row in self.controls
            if _lives(row.created_at, row.retired_at, moment)
        ]

    def of(self, control_id: UUID, moment: datetime) -> ControlFacts | None:
        """One control, retired or not, as known at `moment`."""
        proofs = self._proofs(moment)
        return next(
            (_facts(row, proofs, moment) for row in self.controls if row.id == control_id), None
        )

    def _proofs(self, moment: datetime) -> dict[UUID, SupportingEvidence]:
        return {i: _proof(piece, moment) for i, piece in self.pieces.items() if piece.lives(moment)}


def ledger(control_id: UUID | None = None) -> Ledger:
    """Read it (of one control, if given) in two statements; the whole of it is remembered."""
    return (
        _read(select(Control.id).where(Control.id == control_id))
        if control_id is not None
        else recall("ledger", _read)
    )


def ledger_of(requirement_id: UUID) -> Ledger:
    """The same of the controls that answer for a requirement, or ever did."""
    return _read(
        select(ControlMapping.control_id).where(ControlMapping.requirement_id == requirement_id)
    )


def _read(only: Select[UUID] | None = None) -> Ledger:
    rows = tuple(Recorded(*map(_hard, row)) for row in session().execute(_controls(only)))
    return Ledger(rows, MappingProxyType(evidence.pieces(of_controls=only)))


def _hard(value: Any) -> Any:
    """JSON that nobody can change: readers share it."""
    if isinstance(value, list):
        return tuple(map(_hard, value))
    return (
        MappingProxyType({name: _hard(each) for name, each in value.items()})
        if isinstance(value, dict)
        else value
    )


def _lives(begun: datetime, ended: datetime | None, moment: datetime) -> bool:
    return begun <= moment and (ended is None or ended > moment)


def _facts(
    row: Recorded, proofs: Mapping[UUID, SupportingEvidence], moment: datetime
) -> ControlFacts:
    at = moment.timestamp()
    return ControlFacts(
        control_id=row.id,
        ref=row.ref,
        title=row.title,
        does=row.does,
        kind=row.kind,
        automation=row.automation,
        cadence=row.cadence,
        owner_id=row.owner_id,
        owner=row.owner,
        version=row.version,
        since=row.created_at.date(),
        mappings=tuple(
            (UUID(m[0]), m[1])
            for m in row.mappings or ()
            if m[2] <= at and (m[3] is None or m[3] > at)
        ),
        proofs=tuple(proofs[i] for i in _linked(row.links or (), at) if i in proofs),
        tests=tuple(_test(t) for t in row.tests or () if t[0] <= at),
        live=_live(row.rests_on, row.live, at),
    )


def _live(rests_on: str | None, packed: Any, at: float) -> Live | None:
    """What the control rests on, as it was at that moment."""
    if rests_on == "drill":
        held = [
            system
            for system in packed or ()
            if system[2] <= at and (system[3] is None or system[3] > at)
        ]
        return Live("drill", tuple(switch for system in held for switch in _switches(system, at)))
    if rests_on != "policy":
        return None
    versions, waivers = packed["versions"] or (), packed["waivers"] or ()
    since, number, tier = max((v for v in versions if v[0] <= at), default=(None, 0, ""))
    open_ones = (w for w in waivers if w[3] <= at < w[4] and (w[5] is None or w[5] > at))
    name = TIERS[tier].name if tier in TIERS else str(tier).capitalize()
    return Live(
        "policy",
        (),
        name,
        number,
        None if since is None else _day(since),
        tuple(_waived(w) for w in open_ones),
    )


def _instants(row: Recorded) -> Iterator[float]:
    """Each instant at which something about a control began or ended."""
    yield from (each.timestamp() for each in (row.created_at, row.retired_at) if each is not None)
    packed = [
        *(m[2:4] for m in row.mappings or ()),
        *(link[1:3] for link in row.links or ()),
        *(t[:1] for t in row.tests or ()),
    ]
    yield from (
        float(each) for stamps in (*packed, live_stamps(row)) for each in stamps if each is not None
    )


def live_stamps(row: Recorded) -> list[float | None]:
    """Each instant (in seconds since 1970) at which what the control rests on could have moved its
    status.
    """
    if row.rests_on == "drill":
        ended = [when for system in row.live or () for when, *_ in system[4] or ()]
        return [
            *(stamp for system in row.live or () for stamp in system[2:4]),
            *ended,
            *(when + OLD for when in ended),
        ]
    if row.rests_on == "policy":
        waivers = row.live["waivers"] or ()
        return [
            *(v[0] for v in row.live["versions"] or ()),
            *(stamp for w in waivers for stamp in w[3:6]),
        ]
    return []


def _switches(packed: Sequence[Any], at: float) -> Iterator[Switch]:
    """The switch of the whole system, and that of each feature whose last drill failed."""
    ended = [(when, passed, feature) for when, passed, feature in packed[4] or () if when <= at]
    yield _switch(packed, [each for each in ended if each[2] is None])
    for name in sorted({feature for _, _, feature in ended if feature is not None}):
        found = _switch(packed, [each for each in ended if each[2] in {None, name}], name)
        if not found.passed:
            yield found


def _switch(
    packed: Sequence[Any], ended: Sequence[tuple[float, bool, str | None]], feature: str = ""
) -> Switch:
    when, passed, _ = max(ended, key=lambda each: each[0], default=(None, False, None))
    return Switch(
        UUID(packed[0]),
        packed[1],
        None if when is None else _day(when),
        passed=passed,
        feature=feature,
    )


def _waived(packed: Sequence[Any]) -> OpenWaiver:
    title = DIMENSIONS[packed[2]].title if packed[2] in DIMENSIONS else packed[2]
    return OpenWaiver(UUID(packed[0]), packed[1], title[:1].lower() + title[1:], _day(packed[4]))


def _day(stamp: float) -> date:
    return datetime.fromtimestamp(float(stamp), UTC).date()


def _linked(packed: Sequence[Sequence[Any]], at: float) -> Iterator[UUID]:
    """The evidence that was linked at that moment."""
    return (UUID(link[0]) for link in packed if link[1] <= at and (link[2] is None or link[2] > at))


def _test(packed: Sequence[Any]) -> Test:
    _, tested_on, sample, failed, finding_ref, finding, retest_by, tester, sample_id, unsettled = (
        packed
    )
    retest = date.fromisoformat(retest_by) if retest_by else None
    of = UUID(sample_id) if sample_id else None
    return Test(
        date.fromisoformat(tested_on),
        sample,
        failed,
        finding_ref,
        finding,
        retest,
        tester or FORMER,
        of,
        unsettled or 0,
    )


def _proof(piece: Piece, moment: datetime) -> SupportingEvidence:
    return SupportingEvidence(
        piece.id,
        piece.ref,
        piece.title,
        piece.cadence,
        piece.due_on,
        piece.owner,
        piece.at(moment),
        piece.owner_id,
    )


def _controls(only: Select[UUID] | None) -> Any:
    """Controls with mappings, tests and links folded into JSON: three joins would multiply the
    rows.
    """
    owner = aliased(Person)
    query = select(
        Control.id,
        Control.ref,
        Control.title,
        Control.does,
        Control.kind,
        Control.automation,
        Control.cadence,
        Control.owner_id,
        owner.name.label("owner"),
        Control.version,
        Control.created_at,
        Control.retired_at,
        Control.rests_on,
        _folded_live().label("live"),
        _folded_mappings().label("mappings"),
        _folded_tests().label("tests"),
        _folded_links().label("links"),
    ).outerjoin(owner, owner.id == Control.owner_id)
    return (query if only is None else query.where(Control.id.in_(only))).order_by(Control.ref)


def _epoch(column: Any) -> Any:
    return func.extract("epoch", column)


def _folded(parts: Sequence[Any], order: Any, *where: Any) -> ScalarSelect[Any]:
    folded = func.json_agg(aggregate_order_by(func.json_build_array(*parts), order))
    return select(folded).where(*where).correlate(Control).scalar_subquery()


def _folded_mappings() -> ScalarSelect[Any]:
    m = ControlMapping
    parts = (m.requirement_id, m.coverage, _epoch(m.created_at), _epoch(m.removed_at))
    return _folded(parts, m.id, m.control_id == Control.id)


def _folded_tests() -> ScalarSelect[Any]:
    t, tester = (
        ControlTest,
        select(Person.name).where(Person.id == ControlTest.tested_by).scalar_subquery(),
    )
    parts = (
        _epoch(t.created_at),
        t.tested_on,
        t.sample,
        t.failed,
        t.finding_ref,
        t.finding,
        t.retest_by,
        tester,
        t.sample_id,
        t.unsettled,
    )
    return _folded(parts, t.id, t.control_id == Control.id)


def _folded_links() -> ScalarSelect[Any]:
    link = EvidenceLink
    return _folded(
        (link.evidence_id, _epoch(link.created_at), _epoch(link.removed_at)),
        link.id,
        link.control_id == Control.id,
    )


def _folded_live() -> Case[Any]:
    """The history of what a control rests on, whole: what it was at an instant is cut from it, as
    everything else.
    """
    return case((Control.rests_on == "drill", _drills()), (Control.rests_on == "policy", _policy()))


def _drills() -> ScalarSelect[Any]:
    """Of each system: when it lived, and (when, passed, of which feature) of each drill that
    ended.
    """
    ended = func.json_agg(
        func.json_build_array(_epoch(Drill.ended_at), Drill.state == "passed", SystemFeature.key)
    )
    of_system = (
        select(ended)
        .select_from(Drill)
        .outerjoin(SystemFeature, SystemFeature.id == Drill.feature_id)
        .where(
            Drill.system_id == AISystem.id,
            Drill.state.in_(("passed", "failed")),
            Drill.ended_at.is_not(None),
        )
        .correlate(AISystem)
        .scalar_subquery()
    )
    parts = (
        AISystem.id,
        AISystem.key,
        _epoch(AISystem.created_at),
        _epoch(AISystem.retired_at),
        of_system,
    )
    return (
        select(func.json_agg(aggregate_order_by(func.json_build_array(*parts), AISystem.key)))
        .correlate(None)
        .scalar_subquery()
    )


def _policy() -> Any:
    """Versions as they came into force, and the waivers that were live."""
    v, w = PolicyVersion, Waiver
    versions = select(
        func.json_agg(
            func.json_build_array(_epoch(v.in_force_from), v.number, v.content["tier"].astext)
        )
    )
    waivers = select(
        func.json_agg(
            func.json_build_array(
                w.id,
                AISystem.key,
                w.dimension,
                _epoch(w.live_from),
                _epoch(w.expires_at),
                _epoch(w.closed_at),
            )
        )
    ).join(AISystem, AISystem.id == w.system_id)
    return func.json_build_object(
        "versions",
        versions.where(v.in_force_from.is_not(None)).correlate(None).scalar_subquery(),
        "waivers",
        waivers.where(w.live_from.is_not(None)).correlate(None).scalar_subquery(),
    )
