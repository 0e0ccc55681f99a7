"""Controls as facts: everything a status follows from, now or as it was known at an instant.

    posture(as_of)              all live controls with mappings, proofs and tests, in two statements
    ledger() → Ledger.at(t)     the same for many instants (twelve month ends) for the price of one
    mappings(id)                the open mappings of one control
    find_control(id, lock)      the row behind a verb

Owners and titles are always today's; what was recorded, mapped, brought in and judged is cut at the instant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from governance.controls.models import Control, ControlMapping, ControlTest
from governance.controls.status import ControlFacts, Proof, Test
from governance.evidence import queries as evidence
from governance.evidence.models import EvidenceLink
from governance.evidence.queries import FORMER, Piece
from governance.kernel import clock
from governance.kernel.db import find, session
from governance.people.models import Person


def posture(as_of: datetime | None = None) -> list[ControlFacts]:
    """Every control that lives at the instant, by ref, as it was known then; two statements whatever their number."""
    return ledger().at(as_of or clock.now())


def find_control(control_id: UUID, *, lock: bool = False) -> Control:
    return find(Control, control_id, what="control", lock=lock)


def mappings(control_id: UUID) -> Sequence[ControlMapping]:
    """The open mappings of one control."""
    query = select(ControlMapping).where(ControlMapping.control_id == control_id, ControlMapping.removed_at.is_(None))
    return session().scalars(query.order_by(ControlMapping.created_at)).all()


def tests(control_id: UUID) -> Sequence[ControlTest]:
    """The tests of one control, newest first."""
    query = select(ControlTest).where(ControlTest.control_id == control_id)
    return session().scalars(query.order_by(ControlTest.tested_on.desc(), ControlTest.created_at.desc())).all()


def refs_taken() -> set[str]:
    """Refs of every control, the retired ones too: a ref is never used twice."""
    return set(session().scalars(select(Control.ref)))


def choices() -> list[tuple[UUID, str]]:
    """(id, "SEC-04 Third-party penetration test") of each live control."""
    rows = session().execute(
        select(Control.id, Control.ref, Control.title).where(Control.retired_at.is_(None)).order_by(Control.ref)
    )
    return [(row.id, f"{row.ref} {row.title}") for row in rows]


def answering(requirement_id: UUID) -> list[tuple[Control, str]]:
    """(control, coverage) of the live controls that answer for a requirement."""
    query = select(Control, ControlMapping.coverage).join(ControlMapping, ControlMapping.control_id == Control.id)
    query = query.where(
        ControlMapping.requirement_id == requirement_id, ControlMapping.removed_at.is_(None), Control.retired_at.is_(None)
    )
    return [(row[0], row[1]) for row in session().execute(query.order_by(Control.ref))]


def only_answer(control_id: UUID) -> int:
    """How many requirements nothing else would answer for without this control."""
    others = aliased(ControlMapping)
    another = (
        select(others.id).join(Control, Control.id == others.control_id)
        .where(others.requirement_id == ControlMapping.requirement_id, others.control_id != control_id, others.removed_at.is_(None))
        .where(Control.retired_at.is_(None)).exists()
    )  # fmt: skip
    mine = (
        select(func.count())
        .select_from(ControlMapping)
        .where(ControlMapping.control_id == control_id, ControlMapping.removed_at.is_(None))
    )
    return session().scalar(mine.where(~another)) or 0


# ---- the ledger: rows with their instants, cut at any of them


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything about controls that the tenant ever recorded; titles and owners are today's."""

    controls: Sequence[Row[Any]]
    pieces: Mapping[UUID, Piece]

    def at(self, moment: datetime) -> list[ControlFacts]:
        """The controls that lived at `moment`, with what was known of them then."""
        proofs = self._proofs(moment)
        return [_facts(row, proofs, moment) for row in self.controls if _lives(row.created_at, row.retired_at, moment)]

    def of(self, control_id: UUID, moment: datetime) -> ControlFacts | None:
        """One control, retired or not, as known at `moment`."""
        proofs = self._proofs(moment)
        return next((_facts(row, proofs, moment) for row in self.controls if row.id == control_id), None)

    def _proofs(self, moment: datetime) -> dict[UUID, Proof]:
        return {i: _proof(piece, moment) for i, piece in self.pieces.items() if piece.lives(moment)}


def ledger(control_id: UUID | None = None) -> Ledger:
    """Read it (of one control, if given) in two statements."""
    return Ledger(session().execute(_controls(control_id)).all(), evidence.pieces(of_control=control_id))


def _lives(begun: datetime, ended: datetime | None, moment: datetime) -> bool:
    return begun <= moment and (ended is None or ended > moment)


def _facts(row: Row[Any], proofs: Mapping[UUID, Proof], moment: datetime) -> ControlFacts:
    at = moment.timestamp()
    return ControlFacts(
        control_id=row.id, ref=row.ref, title=row.title, does=row.does, kind=row.kind, automation=row.automation,
        cadence=row.cadence, owner_id=row.owner_id, owner=row.owner, version=row.version, since=row.created_at.date(),
        mappings=tuple((UUID(m[0]), m[1]) for m in row.mappings or () if m[2] <= at and (m[3] is None or m[3] > at)),
        proofs=tuple(proofs[i] for i in _linked(row.links or (), at) if i in proofs),
        tests=tuple(_test(t) for t in row.tests or () if t[0] <= at),
    )  # fmt: skip


def _linked(packed: Sequence[Sequence[Any]], at: float) -> Iterator[UUID]:
    """The evidence that was linked at that moment."""
    return (UUID(link[0]) for link in packed if link[1] <= at and (link[2] is None or link[2] > at))


def _test(packed: Sequence[Any]) -> Test:
    _, tested_on, sample, failed, finding_ref, finding, retest_by, tester = packed
    retest = date.fromisoformat(retest_by) if retest_by else None
    return Test(date.fromisoformat(tested_on), sample, failed, finding_ref, finding, retest, tester or FORMER)


def _proof(piece: Piece, moment: datetime) -> Proof:
    return Proof(piece.id, piece.ref, piece.title, piece.cadence, piece.due_on, piece.owner, piece.at(moment))


def _controls(control_id: UUID | None) -> Any:
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
    link = EvidenceLink
    return _folded((link.evidence_id, _epoch(link.created_at), _epoch(link.removed_at)), link.id, link.control_id == Control.id)
