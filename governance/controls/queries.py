"""Controls as facts: everything a status follows from, now or as it was known at an instant.

    posture(as_of)              all live controls with mappings, proofs and tests, in two statements
    ledger() → Ledger.at(t)     the same for many instants (twelve month ends) for the price of one
    control(id), mappings(id)   one row, and its open mappings
    find_control(id, lock)      the row behind a verb
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, func, select
from sqlalchemy.orm import aliased

from governance.controls.models import Control, ControlMapping, ControlTest
from governance.controls.status import ControlFacts, Proof, Test
from governance.evidence.freshness import Version
from governance.evidence.models import Evidence, EvidenceLink, EvidenceReview, EvidenceVersion
from governance.kernel import clock
from governance.kernel.db import find, session
from governance.people.models import Person

FORMER = "a former member"


def posture(as_of: datetime | None = None) -> list[ControlFacts]:
    """Every control that lives at the instant, by ref, as it was known then; two statements whatever their number."""
    return ledger().at(as_of or clock.now())


def find_control(control_id: UUID, *, lock: bool = False) -> Control:
    return find(Control, control_id, what="control", lock=lock)


def mappings(control_id: UUID) -> Sequence[ControlMapping]:
    """The open mappings of one control."""
    query = select(ControlMapping).where(ControlMapping.control_id == control_id, ControlMapping.removed_at.is_(None))
    return session().scalars(query.order_by(ControlMapping.created_at)).all()


# ---- the ledger: rows with their instants, cut at any of them


@dataclass(frozen=True, slots=True)
class _Held:
    """A version with the instants at which it, and the judgement on it, became known."""

    known: datetime
    judged: datetime | None
    before: Version
    after: Version


@dataclass(frozen=True, slots=True)
class _Piece:
    ref: str
    title: str
    cadence: str
    due_on: date | None
    owner: str | None
    known: datetime
    retired: datetime | None
    held: tuple[_Held, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything about controls that the tenant ever recorded; titles and owners are today's."""

    controls: Sequence[Row[Any]]
    pieces: Mapping[UUID, _Piece]

    def at(self, moment: datetime) -> list[ControlFacts]:
        """The controls that lived at `moment`, with what was known of them then."""
        proofs = {i: _proof(i, piece, moment) for i, piece in self.pieces.items() if _lives(piece.known, piece.retired, moment)}
        return [_facts(row, proofs, moment) for row in self.controls if _lives(row.created_at, row.retired_at, moment)]

    def of(self, control_id: UUID, moment: datetime) -> ControlFacts | None:
        """One control, retired or not, as known at `moment`."""
        proofs = {i: _proof(i, piece, moment) for i, piece in self.pieces.items() if _lives(piece.known, piece.retired, moment)}
        return next((_facts(row, proofs, moment) for row in self.controls if row.id == control_id), None)


def ledger(control_id: UUID | None = None) -> Ledger:
    """Read it (of one control, if given) in two statements."""
    return Ledger(session().execute(_controls(control_id)).all(), _pieces(control_id))


def _lives(begun: datetime, ended: datetime | None, moment: datetime) -> bool:
    return begun <= moment and (ended is None or ended > moment)


def _facts(row: Row[Any], proofs: Mapping[UUID, Proof], moment: datetime) -> ControlFacts:
    at = moment.timestamp()
    return ControlFacts(
        control_id=row.id, ref=row.ref, title=row.title, does=row.does, kind=row.kind, automation=row.automation,
        cadence=row.cadence, owner_id=row.owner_id, owner=row.owner, version=row.version, since=row.created_at.date(),
        mappings=tuple((UUID(m[0]), m[1]) for m in row.mappings or () if m[2] <= at and (m[3] is None or m[3] > at)),
        proofs=tuple(proofs[i] for i, known in ((UUID(k[0]), k[1]) for k in row.links or ()) if known <= at and i in proofs),
        tests=tuple(_test(t) for t in row.tests or () if t[0] <= at),
    )  # fmt: skip


def _test(packed: Sequence[Any]) -> Test:
    _, tested_on, sample, failed, finding_ref, finding, retest_by, tester = packed
    retest = date.fromisoformat(retest_by) if retest_by else None
    return Test(date.fromisoformat(tested_on), sample, failed, finding_ref, finding, retest, tester or FORMER)


def _proof(evidence_id: UUID, piece: _Piece, moment: datetime) -> Proof:
    known = tuple(h.after if h.judged is not None and h.judged <= moment else h.before for h in piece.held if h.known <= moment)
    return Proof(evidence_id, piece.ref, piece.title, piece.cadence, piece.due_on, piece.owner, known)


def _controls(control_id: UUID | None) -> Select[Any]:
    """Controls with mappings, tests and links folded into JSON: three joins would multiply the rows."""
    owner = aliased(Person)
    query = select(
        Control.id, Control.ref, Control.title, Control.does, Control.kind, Control.automation, Control.cadence,
        Control.owner_id, owner.name.label("owner"), Control.version, Control.created_at, Control.retired_at,
        _folded_mappings().label("mappings"), _folded_tests().label("tests"), _folded_links().label("links"),
    ).outerjoin(owner, owner.id == Control.owner_id)  # fmt: skip
    return (query if control_id is None else query.where(Control.id == control_id)).order_by(Control.ref)


def _epoch(column: Any) -> Any:
    return func.extract("epoch", column)


def _folded(parts: Sequence[Any], order: Any, *where: Any) -> ScalarSelect[Any]:
    from sqlalchemy.dialects.postgresql import aggregate_order_by  # noqa: PLC0415

    folded = func.json_agg(aggregate_order_by(func.json_build_array(*parts), order))
    return select(folded).where(*where).correlate(Control).scalar_subquery()


def _folded_mappings() -> ScalarSelect[Any]:
    m = ControlMapping
    parts = (m.requirement_id, m.coverage, _epoch(m.created_at), _epoch(m.removed_at))
    return _folded(parts, m.id, m.control_id == Control.id)


def _folded_tests() -> ScalarSelect[Any]:
    t, tester = ControlTest, select(Person.name).where(Person.id == ControlTest.tested_by).scalar_subquery()
    parts = (_epoch(t.created_at), t.tested_on, t.sample, t.failed, t.finding_ref, t.finding, t.retest_by, tester)
    return _folded(parts, t.id, t.control_id == Control.id)


def _folded_links() -> ScalarSelect[Any]:
    return _folded((EvidenceLink.evidence_id, _epoch(EvidenceLink.created_at)), EvidenceLink.id, EvidenceLink.control_id == Control.id)


def _pieces(control_id: UUID | None) -> dict[UUID, _Piece]:
    owner, collector = aliased(Person), aliased(Person)
    query = (
        select(Evidence, EvidenceVersion, EvidenceReview.decision, EvidenceReview.reviewed_at, owner.name, collector.name)
        .outerjoin(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .outerjoin(EvidenceReview, EvidenceReview.version_id == EvidenceVersion.id)
        .outerjoin(owner, owner.id == Evidence.owner_id)
        .outerjoin(collector, collector.id == EvidenceVersion.uploaded_by)
        .order_by(Evidence.ref, EvidenceVersion.number)
    )
    if control_id is not None:
        query = query.where(Evidence.id.in_(select(EvidenceLink.evidence_id).where(EvidenceLink.control_id == control_id)))
    return folded_pieces(session().execute(query).all())


def folded_pieces(rows: Iterable[Row[Any]]) -> dict[UUID, _Piece]:
    heads: dict[UUID, tuple[Evidence, str | None]] = {}
    held: dict[UUID, list[_Held]] = {}
    for piece, version, decision, judged, owner, collector in rows:
        heads[piece.id] = (piece, owner)
        if version is not None:
            held.setdefault(piece.id, []).append(_held(version, decision, judged, collector))
    return {
        i: _Piece(e.ref, e.title, e.cadence, e.due_on, owner, e.created_at, e.retired_at, tuple(held.get(i, ())))
        for i, (e, owner) in heads.items()
    }


def _held(version: EvidenceVersion, decision: Any, judged: datetime | None, collector: str | None) -> _Held:
    def known(review: Any) -> Version:
        return Version(
            version.number, version.collected_at.date(), version.uploaded_at.date(), version.period_from, version.period_to,
            version.valid_until, review, version.sha256, version.source, collector or FORMER,
        )  # fmt: skip

    before = known("pending")
    return _Held(version.uploaded_at, judged, before, known(decision) if decision else before)
