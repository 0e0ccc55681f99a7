"""All recorded facts about controls, as of any instant.

    ledger() → Ledger.at(moment)    the controls as they were known at that moment; cached while
                                    the tenant commits nothing (foundation/logbook/log_health.py),
                                    for readers who see the same names
    ledger_of(requirement_id)       the same for the controls mapped to one requirement

Owners and titles are always today's. Records, mappings, uploads and reviews are cut at the instant.
The ledger is complete; queries.py limits what an auditor sees of it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.controls.ledger_sql import controls_query
from governance.assurance.controls.models import Control, ControlMapping
from governance.assurance.controls.runtime_dependencies import (
    DRILL_VALID_DAYS,
    PROBLEMS_OF,
    OpenMiss,
    OpenProblem,
    OpenWaiver,
    RestsOn,
    RuntimeFacts,
    SwitchFacts,
)
from governance.assurance.controls.status import ControlFacts, SupportingEvidence, TestFacts
from governance.assurance.evidence import item_history
from governance.assurance.evidence.item_history import EvidenceItem, items_of_control
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.aliases import reading, who_did
from governance.foundation.people.queries import names
from governance.kernel.data.db import session
from governance.kernel.data.selects import Selected, one_of
from governance.kernel.data.tenant_cache import BoundedCache
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.policies.tiers import TIERS

# Seconds after which a drill is no longer proof.
DRILL_LIFETIME_SECONDS = (DRILL_VALID_DAYS + 1) * 86_400


class ControlRecord(NamedTuple):
    """A control with everything ever recorded about it, packed as ledger_sql.py describes."""

    id: UUID
    ref: str
    title: str
    does: str
    kind: str
    automation: str
    cadence: str
    owner_id: UUID | None
    version: int
    created_at: datetime
    retired_at: datetime | None
    rests_on: str | None
    live: Any
    misses: Sequence[Sequence[Any]] | None
    mappings: Sequence[Sequence[Any]]
    tests: Sequence[Sequence[Any]] | None
    links: Sequence[Sequence[Any]]
    names: Mapping[UUID, str] = MappingProxyType({})  # Names of its owner and testers

    @property
    def owner(self) -> str | None:
        return self.names.get(self.owner_id) if self.owner_id else None


TESTER = 7  # Index of the tester's id in a packed test
MAX_DERIVED_VALUES = 64  # Values that follow from one ledger and are kept with it


@dataclass(frozen=True, slots=True)
class Ledger:
    """All facts about controls that the tenant ever recorded. Titles and owners are current.

    A ledger never changes. `derived` caches what was computed from it, so that readers of the same
    facts share both.
    """

    controls: Sequence[ControlRecord]
    pieces: Mapping[UUID, EvidenceItem]
    derived: BoundedCache = field(
        default_factory=lambda: BoundedCache(MAX_DERIVED_VALUES), compare=False, repr=False
    )

    def since(self, moment: datetime) -> float:
        """Return the last instant up to `moment` at which anything changed, in seconds since 1970.

        Between two such instants `at` returns the same, apart from values counted in days.
        """
        stamps = self.derived.get("stamps", self._stamps)
        place = bisect_right(stamps, moment.timestamp())
        return stamps[place - 1] if place else 0.0

    @property
    def first_evidence(self) -> datetime | None:
        """Return when the first version was uploaded; coverage is unknown before that."""
        return self.derived.get("first evidence", self._first_evidence)

    def _first_evidence(self) -> datetime | None:
        return min(
            (version.known for piece in self.pieces.values() for version in piece.versions),
            default=None,
        )

    def _stamps(self) -> list[float]:
        found: set[float] = set()
        for row in self.controls:
            found.update(_instants(row))
        for piece in self.pieces.values():
            found.update(
                each.timestamp() for each in (piece.known, piece.retired) if each is not None
            )
            for version in piece.versions:
                found.update(
                    each.timestamp()
                    for each in (version.known, version.judged, version.withdrawn)
                    if each is not None
                )
        return sorted(found)

    def at(self, moment: datetime) -> list[ControlFacts]:
        """Return the controls that were live at `moment`, as known then."""
        proofs = self._proofs(moment)
        return [
            _facts(row, proofs, moment)
            for row in self.controls
            if _is_alive(row.created_at, row.retired_at, moment)
        ]

    def of(self, control_id: UUID, moment: datetime) -> ControlFacts | None:
        """Return one control, retired or not, as known at `moment`."""
        proofs = self._proofs(moment)
        return next(
            (_facts(row, proofs, moment) for row in self.controls if row.id == control_id), None
        )

    def _proofs(self, moment: datetime) -> dict[UUID, SupportingEvidence]:
        return {
            i: _proof(piece, moment) for i, piece in self.pieces.items() if piece.is_live_at(moment)
        }


OF_CONTROL = Selected[tuple[Any, ...]](
    lambda: controls_query(select(Control.id).where(one_of(Control.id, "control_ids")))
)


def ledger(control_id: UUID | None = None) -> Ledger:
    """Read the ledger (of one control, if given) in two statements; the full one is cached."""
    if control_id is None:
        return recall(("ledger", reading()), _read)
    rows, items = OF_CONTROL.read(control_ids=(control_id,)), items_of_control(control_id)
    return _ledger(rows, items)


def ledger_of(requirement_id: UUID) -> Ledger:
    """Return the ledger of the controls that are or were mapped to a requirement."""
    return _read(
        select(ControlMapping.control_id).where(ControlMapping.requirement_id == requirement_id)
    )


def _read(only: Select[UUID] | None = None) -> Ledger:
    rows = session().execute(controls_query(only))
    return _ledger(rows, item_history.evidence_items(of_controls=only))


def _ledger(rows: Iterable[Sequence[Any]], items: Mapping[UUID, EvidenceItem]) -> Ledger:
    records = [ControlRecord(*map(_frozen, row)) for row in rows]
    called = MappingProxyType(names(each for row in records for each in _people(row)))
    controls = tuple(
        row._replace(names=called, mappings=_of_ids(row.mappings), links=_of_ids(row.links))
        for row in records
    )
    return Ledger(controls, MappingProxyType(items))


def _of_ids(packed: Sequence[Sequence[Any]] | None) -> tuple[tuple[Any, ...], ...]:
    """Return the packed values; the first one of each is an id."""
    return tuple((UUID(each[0]), *each[1:]) for each in packed or ())


def _people(row: ControlRecord) -> Iterator[UUID | None]:
    yield row.owner_id
    yield from (UUID(t[TESTER]) for t in row.tests or () if t[TESTER])


def _frozen(value: Any) -> Any:
    """Return the JSON value as immutable data, because readers share it."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return (
        MappingProxyType({name: _frozen(each) for name, each in value.items()})
        if isinstance(value, dict)
        else value
    )


def _is_alive(begun: datetime, ended: datetime | None, moment: datetime) -> bool:
    return begun <= moment and (ended is None or ended > moment)


def _facts(
    row: ControlRecord, proofs: Mapping[UUID, SupportingEvidence], moment: datetime
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
            (m[0], m[1]) for m in row.mappings if m[2] <= at and (m[3] is None or m[3] > at)
        ),
        proofs=tuple(proofs[i] for i in _linked(row.links, at) if i in proofs),
        tests=tuple(_test(t, row.names) for t in row.tests or () if t[0] <= at),
        live=_live(row.rests_on, row.live, at),
        misses=tuple(
            OpenMiss(UUID(m[0]), m[1], m[2], _day(m[3]))
            for m in row.misses or ()
            if m[3] <= at and (m[4] is None or m[4] > at)
        ),
    )


def _live(rests_on: str | None, packed: Any, at: float) -> RuntimeFacts | None:
    """Return what the control depends on at runtime, as it was at that moment."""
    if rests_on == "drill":
        version = [
            system
            for system in packed or ()
            if system[2] <= at and (system[3] is None or system[3] > at)
        ]
        return RuntimeFacts(
            "drill", tuple(switch for system in version for switch in _switches(system, at))
        )
    if rests_on in PROBLEMS_OF:
        late = (p for p in packed or () if p[4] <= at and (p[5] is None or p[5] > at))
        return RuntimeFacts(cast("RestsOn", rests_on), problems=tuple(map(_problem, late)))
    if rests_on != "policy":
        return None
    versions, waivers = packed["versions"] or (), packed["waivers"] or ()
    since, number, tier = max((v for v in versions if v[0] <= at), default=(None, 0, ""))
    open_ones = (w for w in waivers if w[3] <= at < w[4] and (w[5] is None or w[5] > at))
    name = TIERS[tier].name if tier in TIERS else str(tier).capitalize()
    return RuntimeFacts(
        "policy",
        (),
        name,
        number,
        None if since is None else _day(since),
        tuple(_waived(w) for w in open_ones),
    )


def _problem(packed: Sequence[Any]) -> OpenProblem:
    kind, target_id, ref, about, since, _until = packed
    return OpenProblem(kind, UUID(target_id), ref, about, _day(since))


def _instants(row: ControlRecord) -> Iterator[float]:
    """Yield each instant at which something about a control began or ended."""
    yield from (each.timestamp() for each in (row.created_at, row.retired_at) if each is not None)
    packed = [
        *(m[2:4] for m in row.mappings),
        *(link[1:3] for link in row.links),
        *(t[:1] for t in row.tests or ()),
    ]
    yield from (
        float(each)
        for stamps in (*packed, runtime_stamps(row))
        for each in stamps
        if each is not None
    )


def runtime_stamps(row: ControlRecord) -> list[float | None]:
    """Return each instant, in seconds since 1970, when a runtime dependency could change its
    status.
    """
    return [*(stamp for miss in row.misses or () for stamp in miss[3:5]), *_live_stamps(row)]


def _live_stamps(row: ControlRecord) -> list[float | None]:
    if row.rests_on == "drill":
        ended = [when for system in row.live or () for when, *_ in system[4] or ()]
        return [
            *(stamp for system in row.live or () for stamp in system[2:4]),
            *ended,
            *(when + DRILL_LIFETIME_SECONDS for when in ended),
        ]
    if row.rests_on == "policy":
        waivers = row.live["waivers"] or ()
        return [
            *(v[0] for v in row.live["versions"] or ()),
            *(stamp for w in waivers for stamp in w[3:6]),
        ]
    if row.rests_on in PROBLEMS_OF:
        return [stamp for problem in row.live or () for stamp in problem[4:6]]
    return []


def _switches(packed: Sequence[Any], at: float) -> Iterator[SwitchFacts]:
    """Yield the switch of the entire system and of each feature whose last drill failed."""
    ended = [(when, passed, feature) for when, passed, feature in packed[4] or () if when <= at]
    yield _switch(packed, [each for each in ended if each[2] is None])
    for name in sorted({feature for _, _, feature in ended if feature is not None}):
        found = _switch(packed, [each for each in ended if each[2] in {None, name}], name)
        if not found.passed:
            yield found


def _switch(
    packed: Sequence[Any], ended: Sequence[tuple[float, bool, str | None]], feature: str = ""
) -> SwitchFacts:
    when, passed, _ = max(ended, key=lambda each: each[0], default=(None, False, None))
    return SwitchFacts(
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
    """Yield the ids of the evidence that was linked at that moment."""
    return (link[0] for link in packed if link[1] <= at and (link[2] is None or link[2] > at))


def _test(packed: Sequence[Any], called: Mapping[UUID, str]) -> TestFacts:
    _, tested_on, sample, failed, finding_ref, finding, retest_by, tester, sample_id, unsettled = (
        packed
    )
    retest = date.fromisoformat(retest_by) if retest_by else None
    of = UUID(sample_id) if sample_id else None
    return TestFacts(
        date.fromisoformat(tested_on),
        sample,
        failed,
        finding_ref,
        finding,
        retest,
        who_did(called, UUID(tester) if tester else None),
        of,
        unsettled or 0,
    )


def _proof(piece: EvidenceItem, moment: datetime) -> SupportingEvidence:
    return SupportingEvidence(
        piece.id,
        piece.ref,
        piece.title,
        piece.cadence,
        piece.due_on,
        piece.owner,
        piece.at(moment),
        piece.owner_id,
        piece.withdrawn_at(moment),
    )
