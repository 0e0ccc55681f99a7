"""Evidence items with all versions and the instants when each fact became known.

    evidence_items(…)         items with all their versions, in one statement
    EvidenceItem.at(moment)   the versions as known at an instant

Statuses are derived from it, so it isn't limited to what the acting person may see, unless `seen`
is given.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from governance.assurance.evidence.freshness import (
    Freshness,
    Version,
    freshness,
)
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceFault,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
    EvidenceWithdrawal,
)
from governance.assurance.evidence.visibility import WHOLE, VisibleScope
from governance.foundation.people.aliases import who_did
from governance.foundation.people.queries import names
from governance.kernel.data.db import among, session
from governance.kernel.data.selects import Selected, one_of


@dataclass(frozen=True, slots=True)
class JudgedVersion:
    """A version before and after its review, with the instants when each became known."""

    version_id: UUID
    uploaded_by: UUID | None
    known: datetime
    judged: datetime | None
    before: Version
    after: Version
    broken: datetime | None = None  # When its stored file was found missing or altered.
    gone: datetime | None = None  # When the deletion of its file was approved.
    withdrawn: datetime | None = None  # When it was withdrawn.
    why: str = ""  # The reason for the withdrawal.

    def at(self, moment: datetime) -> Version:
        judged = self.after if self.judged is not None and self.judged <= moment else self.before
        return (
            replace(judged, review="broken")
            if self.broken is not None and self.broken <= moment
            else judged
        )

    def is_known_at(self, moment: datetime) -> bool:
        return (
            self.known <= moment
            and (self.gone is None or self.gone > moment)
            and (self.withdrawn is None or self.withdrawn > moment)
        )


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """An evidence item with all its versions, oldest first. `owner` is the current owner."""

    id: UUID
    ref: str
    title: str
    kind: str
    cadence: str
    due_on: date | None
    owner_id: UUID | None
    owner: str | None
    known: datetime
    retired: datetime | None
    versions: tuple[JudgedVersion, ...] = ()

    def at(self, moment: datetime) -> tuple[Version, ...]:
        """Return the versions known at an instant, oldest first.

        Versions that were withdrawn or whose file was deleted by then are left out.
        """
        return tuple(h.at(moment) for h in self.versions if h.is_known_at(moment))

    def withdrawn_at(self, moment: datetime) -> str:
        """Return why the newest version was withdrawn at an instant. Empty if it wasn't."""
        newest = next((h for h in reversed(self.versions) if h.known <= moment), None)
        if newest is None or newest.withdrawn is None or newest.withdrawn > moment:
            return ""
        return f"Version {newest.before.number} was withdrawn: {newest.why}"

    def is_live_at(self, moment: datetime) -> bool:
        return self.known <= moment and (self.retired is None or self.retired > moment)

    def freshness(self, moment: datetime) -> Freshness:
        return freshness(
            self.at(moment), cadence=self.cadence, due_on=self.due_on, today=moment.date()
        )


def evidence_items(
    *,
    of_controls: Select[UUID] | None = None,
    only: Collection[UUID] | None = None,
    seen: VisibleScope = WHOLE,
) -> dict[UUID, EvidenceItem]:
    """Return items with their versions by id, in the order of their refs.

    It takes one statement, and another one for names that aren't cached.
    """
    query = _query_of_everything() if seen is WHOLE else _query(seen)
    if of_controls is not None:
        query = query.where(_supports(EvidenceLink.control_id.in_(of_controls)))
    if only is not None:
        query = query.where(among(Evidence.id, only))
    return _group_versions(session().execute(query))


def _supports(links: ColumnElement[bool]) -> ColumnElement[bool]:
    return Evidence.id.in_(select(EvidenceLink.evidence_id).where(links))


OF_CONTROL = Selected[tuple[Any, ...]](
    lambda: _query(WHOLE).where(_supports(one_of(EvidenceLink.control_id, "control_ids")))
)
OF_ITEM = Selected[tuple[Any, ...]](
    lambda: _query(WHOLE).where(one_of(Evidence.id, "evidence_ids"))
)


def items_of_control(control_id: UUID) -> dict[UUID, EvidenceItem]:
    """Return items that support a control or did so, by id, in ref order, in one statement."""
    return _group_versions(OF_CONTROL.read(control_ids=(control_id,)))


def item_of(evidence_id: UUID, seen: VisibleScope) -> EvidenceItem:
    """Return one item with its versions, in one statement."""
    found = (
        _group_versions(OF_ITEM.read(evidence_ids=(evidence_id,)))
        if seen is WHOLE
        else evidence_items(only=[evidence_id], seen=seen)
    )
    return found[evidence_id]


@cache
def _query_of_everything() -> Select[*tuple[Any, ...]]:
    return _query(WHOLE)


def _query(seen: VisibleScope) -> Select[*tuple[Any, ...]]:
    e, v = Evidence, EvidenceVersion
    return (
        select(
            e.id,
            e.ref,
            e.title,
            e.kind,
            e.cadence,
            e.due_on,
            e.owner_id,
            e.created_at,
            e.retired_at,
            v.id,
            v.uploaded_by,
            v.number,
            v.collected_at,
            v.uploaded_at,
            v.period_from,
            v.period_to,
            v.valid_until,
            v.sha256,
            v.source,
            EvidenceReview.decision,
            EvidenceReview.reviewed_at,
            EvidenceFault.found_at,
            EvidenceDeletion.decided_at,
            EvidenceWithdrawal.created_at,
            EvidenceWithdrawal.reason,
        )
        .outerjoin(v, and_(v.evidence_id == e.id, *seen.of_versions()))
        .outerjoin(EvidenceReview, EvidenceReview.version_id == v.id)
        .outerjoin(
            EvidenceFault,
            and_(EvidenceFault.version_id == v.id, EvidenceFault.restored_at.is_(None)),
        )
        .outerjoin(
            EvidenceDeletion,
            and_(EvidenceDeletion.version_id == v.id, EvidenceDeletion.state.in_(DECIDED)),
        )
        .outerjoin(EvidenceWithdrawal, EvidenceWithdrawal.version_id == v.id)
        .order_by(e.ref, v.number)
    )


ITEM_COLUMNS = 9
OWNER = 6  # Index of the owner's id.


def _group_versions(rows: Iterable[Any]) -> dict[UUID, EvidenceItem]:
    heads: dict[UUID, Any] = {}
    versions_by_item: dict[UUID, list[JudgedVersion]] = {}
    every = list(rows)
    called = names(each for row in every for each in (row[OWNER], row[ITEM_COLUMNS + 1]))
    for row in every:
        versions = versions_by_item.get(row[0])
        if versions is None:
            heads[row[0]], versions = row, versions_by_item.setdefault(row[0], [])
        if row[ITEM_COLUMNS] is not None:
            versions.append(_judged_version(row[ITEM_COLUMNS:], called))
    return {i: _item(row, versions_by_item[i], called) for i, row in heads.items()}


def _item(
    row: Sequence[Any], versions: Iterable[JudgedVersion], called: Mapping[UUID, str]
) -> EvidenceItem:
    i, ref, title, kind, cadence, due_on, owner_id, known, retired = row[:ITEM_COLUMNS]
    owner = called.get(owner_id)
    return EvidenceItem(
        i, ref, title, kind, cadence, due_on, owner_id, owner, known, retired, tuple(versions)
    )


def _judged_version(row: Sequence[Any], called: Mapping[UUID, str]) -> JudgedVersion:
    (
        version_id,
        uploaded_by,
        number,
        collected,
        uploaded,
        period_from,
        period_to,
        valid_until,
        sha256,
        source,
        decision,
        judged,
        broken,
        gone,
        withdrawn,
        why,
    ) = row
    facts = (
        number,
        collected.astimezone(UTC).date(),
        uploaded.astimezone(UTC).date(),
        period_from,
        period_to,
        valid_until,
    )
    by = who_did(called, uploaded_by)
    before = Version(*facts, "pending", sha256, source, by)
    after = Version(*facts, decision, sha256, source, by) if decision else before
    return JudgedVersion(
        version_id, uploaded_by, uploaded, judged, before, after, broken, gone, withdrawn, why or ""
    )
