"""Evidence as it stands: the library with its freshness, one piece with its versions, what waits
for somebody.

    pieces(…)                           everything known of evidence, with the instants, in one
                                        statement
    library(…) → Shelf                  a page of live pieces, filtered and sorted, with their
                                        state; three statements
    waiting(…)                          versions that wait for review, and what is overdue; four
                                        statements
    find_evidence, version_of           the rows behind a verb
    state_of, versions, links           one piece: its state, its versions, the controls that it
                                        supports

Lists are narrowed, sorted and counted in the database (standing.py); what a page shows is worked
out by freshness.py. What is shown is what the acting person sees (sight.py); `pieces`, which
statuses follow from, is whole unless told otherwise.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select, true
from sqlalchemy.orm import aliased

from governance.assurance.evidence import deletion_guard, freshness_sql, permissions
from governance.assurance.evidence.freshness import (
    Freshness,
    Version,
    counting,
    deadline,
    freshness,
    newest,
)
from governance.assurance.evidence.freshness_sql import DECIDED, STATES
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceFault,
    EvidenceHold,
    EvidenceLink,
    EvidencePush,
    EvidenceRetention,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.evidence.ports import supported_controls
from governance.assurance.evidence.retention import kept_until
from governance.assurance.evidence.visibility import WHOLE, Sight, among, sight
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import permissions as people
from governance.foundation.people.models import Membership, Person
from governance.foundation.people.queries import timeline
from governance.kernel import clock, storage
from governance.kernel.access import allowed, matching
from governance.kernel.db import find, session
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.pages import keyset

FORMER, CONSOLE = "a former member", "Meridian"

DELETION = "destruction of evidence"  # a kind of approval


@dataclass(frozen=True, slots=True)
class JudgedVersion:
    """A version with the instants at which it, and the judgement on it, became known."""

    version_id: UUID
    uploaded_by: UUID | None
    known: datetime
    judged: datetime | None
    before: Version
    after: Version
    broken: datetime | None = None  # since when its stored file is known to be missing or altered
    gone: datetime | None = None  # when two persons have destroyed its file

    def at(self, moment: datetime) -> Version:
        judged = self.after if self.judged is not None and self.judged <= moment else self.before
        return (
            replace(judged, review="broken")
            if self.broken is not None and self.broken <= moment
            else judged
        )

    def stands(self, moment: datetime) -> bool:
        return self.known <= moment and (self.gone is None or self.gone > moment)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence with all its versions; `owner` is today's."""

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
    held: tuple[JudgedVersion, ...] = ()

    def at(self, moment: datetime) -> tuple[Version, ...]:
        """The versions as known at an instant, oldest first; one whose file was destroyed proves
        nothing from then on.
        """
        return tuple(h.at(moment) for h in self.held if h.stands(moment))

    def lives(self, moment: datetime) -> bool:
        return self.known <= moment and (self.retired is None or self.retired > moment)

    def freshness(self, moment: datetime) -> Freshness:
        return freshness(
            self.at(moment), cadence=self.cadence, due_on=self.due_on, today=moment.date()
        )


@dataclass(frozen=True, slots=True)
class EvidenceSummary:
    """A line of the library."""

    piece: Piece
    fresh: Freshness
    last: Version | None
    deadline: date | None
    pending: JudgedVersion | None
    controls: tuple[tuple[UUID, str, str], ...] = ()

    @property
    def covers(self) -> str:
        """What the counting version (or the last one) covers."""
        held = counting(self.piece.at(clock.now())) or self.last
        return covers(held.period_from, held.period_to) if held else ""


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """A page's rows, how many match the filters, how many live pieces are in each state, how many
    versions wait for review.
    """

    rows: Sequence[EvidenceSummary]
    matching: int
    states: Mapping[str, int]
    next: str | None
    reviews: int

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version as its page shows it; names as the reader may see them."""

    id: UUID
    number: int
    filename: str | None
    media_type: str | None
    size: int | None
    sha256: str | None
    url: str | None
    source: str
    collected_at: datetime
    uploaded_at: datetime
    uploaded_by: UUID | None
    collector: str
    period_from: date
    period_to: date
    valid_until: date
    review: str
    reason: str
    reviewer: str | None
    reviewed_at: datetime | None
    fault: str | None  # missing, altered
    deletion_request: EvidenceDeletion | None  # asked for, agreed on or done
    key_name: str  # of the key that uploaded it
    key_hands: Sequence[str]  # ids of those who were shown the secret of that key

    @property
    def is_gone(self) -> bool:
        return self.deletion_request is not None and self.deletion_request.state in DECIDED

    @property
    def covers(self) -> str:
        return covers(self.period_from, self.period_to)


@dataclass(frozen=True, slots=True)
class LinkView:
    control_id: UUID
    ref: str
    title: str
    note: str
    retired: bool


# ---- the rows behind a verb


def find_evidence(evidence_id: UUID, *, lock: bool = False) -> Evidence:
    found = find(Evidence, evidence_id, what="evidence item", lock=lock)
    if not sight().shows(found.id):
        raise NotFound("This evidence item doesn't exist, or you don't have access to it.")
    return found


def some(ids: Collection[UUID], *, lock: bool = False) -> list[Evidence]:
    """These evidence items by ref, as far as the acting person sees them; locked, as they are
    now.
    """
    query = select(Evidence).where(Evidence.id.in_(ids)).order_by(Evidence.ref)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return [row for row in session().scalars(locked if lock else query) if sight().shows(row.id)]


def version_of(version_id: UUID, *, lock: bool = False) -> tuple[EvidenceVersion, Evidence]:
    """A version and what it is a version of; with `lock`, nobody else judges or adds one
    meanwhile.
    """
    version = find(EvidenceVersion, version_id, what="version")
    if not sight().shows_version(version):
        raise NotFound("This version doesn't exist, or you don't have access to it.")
    return version, find_evidence(version.evidence_id, lock=lock)


# ---- everything known of evidence


def pieces(
    *,
    of_controls: Select[UUID] | None = None,
    only: Collection[UUID] | None = None,
    seen: Sight = WHOLE,
) -> dict[UUID, Piece]:
    """Pieces with their versions, by id in the order of their refs; one statement whatever their
    number.
    """
    owner, collector = aliased(Person), aliased(Person)
    e, v = Evidence, EvidenceVersion
    query = (
        select(
            e.id,
            e.ref,
            e.title,
            e.kind,
            e.cadence,
            e.due_on,
            e.owner_id,
            owner.name,
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
            collector.name,
            EvidenceFault.found_at,
            EvidenceDeletion.decided_at,
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
        .outerjoin(owner, owner.id == e.owner_id)
        .outerjoin(collector, collector.id == v.uploaded_by)
        .order_by(e.ref, v.number)
    )
    if of_controls is not None:
        query = query.where(
            e.id.in_(
                select(EvidenceLink.evidence_id).where(EvidenceLink.control_id.in_(of_controls))
            )
        )
    if only is not None:
        query = query.where(among(e.id, only))
    return _folded(session().execute(query))


HEAD = 10


def _folded(rows: Iterable[Any]) -> dict[UUID, Piece]:
    heads: dict[UUID, Any] = {}
    held: dict[UUID, list[JudgedVersion]] = {}
    for row in rows:
        versions = held.get(row[0])
        if versions is None:
            heads[row[0]], versions = row, held.setdefault(row[0], [])
        if row[HEAD] is not None:
            versions.append(_held(row[HEAD:]))
    return {i: Piece(*(*row[:HEAD], tuple(held[i]))) for i, row in heads.items()}


def _held(row: Sequence[Any]) -> JudgedVersion:
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
        collector,
        broken,
        gone,
    ) = row
    facts = (
        number,
        collected.astimezone(UTC).date(),
        uploaded.astimezone(UTC).date(),
        period_from,
        period_to,
        valid_until,
    )
    by = (collector or FORMER) if uploaded_by else CONSOLE
    before = Version(*facts, "pending", sha256, source, by)
    after = Version(*facts, decision, sha256, source, by) if decision else before
    return JudgedVersion(version_id, uploaded_by, uploaded, judged, before, after, broken, gone)


# ---- the library


def library(
    *,
    q: str = "",
    state: str = "",
    owner: UUID | str = "",
    kind: str = "",
    control: UUID | None = None,
    sort: str = "ref",
    descending: bool = False,
    after: str | None = None,
    size: int = 50,
) -> EvidencePage:
    """Live evidence with its state of today. `owner` is a person's id or "nobody"."""
    seen = sight()
    f = freshness_sql.facts(clock.now(), seen)
    tally = freshness_sql.tally(
        f,
        freshness_sql.matching(f, seen, q=q, state=state, owner=owner, kind=kind, control=control),
    )
    shown = select(f.c.id, *tally.c).join_from(f, tally, true())
    shown = shown.where(
        freshness_sql.matching(f, seen, q=q, state=state, owner=owner, kind=kind, control=control)
    )
    found = keyset(
        shown, *freshness_sql.order(f, sort), after=after, size=size, descending=descending
    )
    _, matching, reviews, *states = (
        found.rows[0] if found.rows else (None, *session().execute(select(tally)).one())
    )
    rows = rows_of([row[0] for row in found.rows])
    return EvidencePage(rows, matching, dict(zip(STATES, states, strict=True)), found.next, reviews)


def everything(
    *,
    q: str = "",
    state: str = "",
    owner: UUID | str = "",
    kind: str = "",
    control: UUID | None = None,
    sort: str = "ref",
    descending: bool = False,
) -> Sequence[UUID]:
    """The ids of all that matches, in the order of the list: what an export goes through."""
    seen = sight()
    f = freshness_sql.facts(clock.now(), seen)
    columns = [c.desc() if descending else c.asc() for c in freshness_sql.order(f, sort)]
    wanted = freshness_sql.matching(
        f, seen, q=q, state=state, owner=owner, kind=kind, control=control
    )
    return session().scalars(select(f.c.id).where(wanted).order_by(*columns)).all()


def rows_of(ids: Sequence[UUID]) -> list[EvidenceSummary]:
    """The lines of these pieces, in this order; two statements."""
    if not ids:
        return []
    now, found, linked = clock.now(), pieces(only=ids, seen=sight()), _links(ids)
    return [_row(found[i], now, linked.get(i, ())) for i in ids if i in found]


def _row(piece: Piece, now: datetime, controls: Sequence[tuple[UUID, str, str]]) -> EvidenceSummary:
    known = piece.at(now)
    fresh = freshness(known, cadence=piece.cadence, due_on=piece.due_on, today=now.date())
    waiting = next(
        (h for h in reversed(piece.held) if h.stands(now) and h.at(now).review == "pending"), None
    )
    return EvidenceSummary(
        piece, fresh, newest(known), deadline(known, due_on=piece.due_on), waiting, tuple(controls)
    )


def _links(ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, str, str]]]:
    """The live controls that each of these pieces supports: (control id, ref, title)."""
    control = supported_controls()().subquery("control").c
    query = select(EvidenceLink.evidence_id, control.id, control.ref, control.title).where(
        control.id == EvidenceLink.control_id
    )
    query = query.where(
        control.retired_at.is_(None),
        EvidenceLink.removed_at.is_(None),
        *sight().of_controls(control.id),
    )
    query = query.where(among(EvidenceLink.evidence_id, ids))
    found: dict[UUID, list[tuple[UUID, str, str]]] = {}
    for row in session().execute(query.order_by(control.ref)):
        found.setdefault(row[0], []).append((row[1], row[2], row[3]))
    return found


def ref_of_control(control_id: UUID) -> str:
    control = supported_controls()().subquery("control").c
    return str(session().scalar(select(control.ref).where(control.id == control_id)) or "a control")


def control_choices() -> list[tuple[UUID, str]]:
    """(id, "SEC-04 Third-party penetration test") of each live control."""
    return [(control_id, f"{ref} {title}") for control_id, ref, title in live_controls()]


def live_controls(ids: Collection[UUID] | None = None) -> Sequence[Any]:
    """(id, ref, title) of the live controls (of these), by ref."""
    control = supported_controls()().subquery("control").c
    query = (
        select(control.id, control.ref, control.title)
        .where(control.retired_at.is_(None))
        .order_by(control.ref)
    )
    return session().execute(query if ids is None else query.where(control.id.in_(ids))).all()


def may_review(version_id: Any) -> ColumnElement[bool]:
    """Whether the acting person may review the version with that id, as a column."""
    v = EvidenceVersion
    return select(v.id).where(v.id == version_id, matching(permissions.REVIEW, v)).exists()


# ---- one piece


def state_of(evidence: Evidence) -> tuple[Piece, Freshness]:
    piece = pieces(only=[evidence.id], seen=sight())[evidence.id]
    return piece, piece.freshness(clock.now())


def versions(evidence: Evidence) -> list[VersionView]:
    """Every version, newest first, with its review and what became of its file; two statements."""
    v, gone = EvidenceVersion, EvidenceDeletion
    query = (
        select(v, EvidenceReview, EvidenceFault.kind, gone, ApiKey)
        .outerjoin(EvidenceReview, EvidenceReview.version_id == v.id)
        .outerjoin(
            EvidenceFault,
            and_(EvidenceFault.version_id == v.id, EvidenceFault.restored_at.is_(None)),
        )
        .outerjoin(gone, and_(gone.version_id == v.id, gone.state.in_(("requested", *DECIDED))))
        .outerjoin(ApiKey, ApiKey.id == v.key_id)
    )
    query = query.where(v.evidence_id == evidence.id, *sight().of_versions())
    rows = session().execute(query.order_by(v.number.desc())).all()
    shown = doers(
        p for v, r, _, _, _ in rows for p in (v.uploaded_by, r.reviewed_by if r else None)
    )
    return [_view(v, r, shown, fault, gone, key) for v, r, fault, gone, key in rows]


def _view(
    v: EvidenceVersion,
    r: EvidenceReview | None,
    shown: Mapping[UUID, str],
    fault: str | None,
    gone: EvidenceDeletion | None,
    key: ApiKey | None,
) -> VersionView:
    collector = f"API key {key.name}" if key else _named(v.uploaded_by, shown)
    return VersionView(
        v.id,
        v.number,
        v.filename,
        v.media_type,
        v.size,
        v.sha256,
        v.url,
        v.source,
        v.collected_at,
        v.uploaded_at,
        v.uploaded_by,
        collector,
        v.period_from,
        v.period_to,
        v.valid_until,
        r.decision if r else "pending",
        r.reason if r else "",
        _named(r.reviewed_by, shown) if r else None,
        r.reviewed_at if r else None,
        fault,
        gone,
        key.name if key else "",
        key.hands if key else (),
    )


def links(evidence: Evidence) -> list[LinkView]:
    control = supported_controls()().subquery("control").c
    query = select(EvidenceLink.note, control.id, control.ref, control.title, control.retired_at)
    query = query.where(
        control.id == EvidenceLink.control_id, EvidenceLink.evidence_id == evidence.id
    )
    query = query.where(EvidenceLink.removed_at.is_(None), *sight().of_controls(control.id))
    rows = session().execute(query.order_by(control.ref))
    return [
        LinkView(row.id, row.ref, row.title, row.note, row.retired_at is not None) for row in rows
    ]


def versions_of(evidence: Evidence) -> Select[EvidenceVersion]:
    """Its versions whose file was not destroyed, in their order."""
    return (
        select(EvidenceVersion)
        .where(EvidenceVersion.evidence_id == evidence.id, _not_destroyed())
        .order_by(EvidenceVersion.number)
    )


def _not_destroyed() -> Any:
    """Neither gone nor agreed to go."""
    return _no_destruction(*DECIDED)


def _no_destruction(*states: str) -> Any:
    d = EvidenceDeletion
    return ~select(d.id).where(d.version_id == EvidenceVersion.id, d.state.in_(states)).exists()


def sound() -> Any:
    """That a version can still prove something: its file was not destroyed, and no check found it
    missing or altered.
    """
    broken = select(EvidenceFault.id).where(
        EvidenceFault.version_id == EvidenceVersion.id, EvidenceFault.restored_at.is_(None)
    )
    return and_(_not_destroyed(), ~broken.exists())


# ---- files in the store


def stored(sha256: str) -> EvidenceVersion | None:
    """A version that has these bytes in the store, on the shelf of sealed files; None when nothing
    here has.
    """
    v = EvidenceVersion
    query = select(v).where(v.sha256 == sha256, v.storage_key.is_not(None), _not_destroyed())
    return session().scalars(query.order_by(v.uploaded_at.desc()).limit(1)).one_or_none()


class Gone(DomainError):
    status = 410


def open_version(version: EvidenceVersion) -> BinaryIO:
    """The stored file, open for reading; whoever takes it out records that."""
    if version.storage_key is None:
        raise DomainError(f"Version {version.number} is a link, so there is no file to download.")
    if gone := deletion_of(version, *DECIDED):
        when = (gone.decided_at or gone.created_at).date()
        raise Gone(
            f"The file of version {version.number} was permanently deleted on"
            f" {when.day} {when:%B %Y}. Its SHA-256 stays on record."
        )
    return storage.store().open(version.storage_key)


def files_to_check() -> list[tuple[UUID, str, int, str, str]]:
    """(version id, ref, number, storage key, SHA-256) of every file that should be there, in the
    order of the store.
    """
    v = EvidenceVersion
    query = (
        select(v.id, Evidence.ref, v.number, v.storage_key, v.sha256)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(v.storage_key.is_not(None), _not_destroyed())
        .order_by(v.storage_key, v.number)
    )
    return [
        (row.id, row.ref, row.number, row.storage_key or "", row.sha256 or "")
        for row in session().execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Check:
    """The last check of the stored files, and what is broken now:

    (evidence id, ref, title, number, kind, since when).
    """

    at: datetime | None
    files: int
    broken: Sequence[tuple[UUID, str, str, int, str, datetime]]
    whole: bool  # the reader sees all of the evidence, so they may know the number of files


def last_check(*, most: int = 100) -> Check:
    seen, v, fault = sight(), EvidenceVersion, EvidenceFault
    checked = (
        session()
        .execute(
            select(AuditEntry.at, AuditEntry.facts)
            .where(AuditEntry.action == "evidence.files.verified")
            .order_by(AuditEntry.at.desc())
            .limit(1)
        )
        .one_or_none()
    )
    query = (
        select(Evidence.id, Evidence.ref, Evidence.title, v.number, fault.kind, fault.found_at)
        .join(v, v.id == fault.version_id)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(fault.restored_at.is_(None), _not_destroyed(), *seen.of_versions())
        .order_by(fault.found_at.desc(), Evidence.ref, v.number)
        .limit(most)
    )
    broken = [(r[0], r[1], r[2], r[3], r[4], r[5]) for r in session().execute(query)]
    files = int(checked.facts.get("files", 0)) if checked else 0
    return Check(checked.at if checked else None, files, broken, whole=seen.evidence is None)


def referred_to(keys: Collection[str]) -> set[str]:
    """Those of these storage keys that a version refers to, whose file was not destroyed.

    What is only agreed on can still be stopped.
    """
    if not keys:
        return set()
    query = select(EvidenceVersion.storage_key).where(
        EvidenceVersion.storage_key.in_(keys), _no_destruction("done")
    )
    return {key for key in session().scalars(query) if key}


def others_with(version: EvidenceVersion) -> int:
    """How many other versions need the same stored file, also those whose destruction is agreed on:
    a hold can stop it.
    """
    v = EvidenceVersion
    query = select(v.id).where(
        v.storage_key == version.storage_key, v.id != version.id, _no_destruction("done")
    )
    return len(session().scalars(query).all())


def fault_of(version: EvidenceVersion) -> EvidenceFault | None:
    query = select(EvidenceFault).where(
        EvidenceFault.version_id == version.id, EvidenceFault.restored_at.is_(None)
    )
    return session().scalars(query.with_for_update()).one_or_none()


# ---- holds, retention, destruction


def hold_on(evidence_id: UUID) -> EvidenceHold | None:
    query = select(EvidenceHold).where(
        EvidenceHold.evidence_id == evidence_id, EvidenceHold.released_at.is_(None)
    )
    return session().scalars(query).one_or_none()


def retention_rules() -> dict[str, EvidenceRetention]:
    return {rule.kind: rule for rule in session().scalars(select(EvidenceRetention))}


def retention_rule(kind: str, *, lock: bool = False) -> EvidenceRetention | None:
    query = select(EvidenceRetention).where(EvidenceRetention.kind == kind)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def deletion_of(version: EvidenceVersion, *states: str) -> EvidenceDeletion | None:
    """The request about it that is in one of these states (of those that stand, there is one)."""
    query = select(EvidenceDeletion).where(
        EvidenceDeletion.version_id == version.id, EvidenceDeletion.state.in_(states)
    )
    return session().scalars(query).one_or_none()


def deletion_request(
    deletion_id: UUID, *, lock: bool = False
) -> tuple[EvidenceDeletion, EvidenceVersion, Evidence]:
    asked = find(EvidenceDeletion, deletion_id, what="request", lock=lock)
    return asked, *version_of(asked.version_id)


def deletions() -> list[tuple[EvidenceDeletion, EvidenceVersion, Evidence, str]]:
    """What waits for a second person, oldest first, and by whom it was asked."""
    d, v = EvidenceDeletion, EvidenceVersion
    query = (
        select(d, v, Evidence)
        .join(v, v.id == d.version_id)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(d.state == "requested")
        .order_by(d.created_at)
    )
    rows = session().execute(query).all()
    shown = doers(asked.requested_by for asked, _, _ in rows)
    return [
        (asked, version, evidence, _named(asked.requested_by, shown))
        for asked, version, evidence in rows
    ]


def past_retention(today: date) -> list[tuple[EvidenceVersion, Evidence, EvidenceRetention]]:
    """Files that their kind's retention lets go and that were never proposed for destruction.

    What counts today stays, and what is held or needed by somebody else.

    A destruction that something stopped was nobody's decision to keep the file: it is proposed
    again.
    """
    rules = {kind: rule for kind, rule in retention_rules().items() if rule.months is not None}
    if not rules:
        return []
    d = EvidenceDeletion
    asked = select(d.id).where(d.version_id == EvidenceVersion.id, d.state != "stopped")
    held = select(EvidenceHold.id).where(
        EvidenceHold.evidence_id == Evidence.id, EvidenceHold.released_at.is_(None)
    )
    query = (
        select(EvidenceVersion, Evidence)
        .join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .where(
            Evidence.kind.in_(rules),
            EvidenceVersion.storage_key.is_not(None),
            EvidenceVersion.valid_until < today,
            ~asked.exists(),
            ~held.exists(),
        )
        .order_by(EvidenceVersion.uploaded_at)
    )
    rows = [
        (version, evidence, rules[evidence.kind]) for version, evidence in session().execute(query)
    ]
    past = [row for row in rows if (kept_until(row[0].valid_until, row[2].months) or today) < today]
    kept = deletion_guard.kept([version.id for version, _, _ in past])
    return [row for row in past if row[0].id not in kept]


# ---- pushes


def earlier_push(key_id: UUID, idempotency_key: str) -> EvidencePush | None:
    query = select(EvidencePush).where(
        EvidencePush.key_id == key_id, EvidencePush.idempotency_key == idempotency_key
    )
    return session().scalars(query).one_or_none()


def by_ref(ref: str) -> Evidence:
    """The piece of that short name (EV-0007), whatever its case."""
    found = (
        session().scalars(select(Evidence).where(Evidence.ref == ref.strip().upper())).one_or_none()
    )
    if found is None or not sight().shows(found.id):
        raise NotFound("This evidence item doesn't exist, or you don't have access to it.")
    return found


# ---- custody


CUSTODY = {
    "evidence.version.uploaded": "Uploaded",
    "evidence.version.accepted": "Accepted",
    "evidence.version.rejected": "Rejected",
    "evidence.version.downloaded": "Downloaded",
    "evidence.version.corrupted": "Found corrupted",
    "evidence.version.restored": "Found restored",
    "evidence.deletion.requested": "Deletion requested",
    "evidence.deletion.approved": "Deletion approved",
    "evidence.version.deleted": "Permanently deleted",
}


@dataclass(frozen=True, slots=True)
class CustodyStep:
    """Who downloaded or viewed a version: when, what they did, and from where."""

    number: int
    at: datetime
    says: str
    who: str
    origin: str
    is_day: bool = False  # only the day is known, not the time


@dataclass(frozen=True, slots=True)
class Custody:
    """`limit`: of how many entries of the log the steps are, where there are more; None where these
    are all.
    """

    steps: Sequence[CustodyStep]
    limit: int | None


def custody(shown: Sequence[VersionView], *, limit: int = 200) -> Custody:
    """Newest first, out of the log; that a version was collected stands in its own row."""
    numbers = {v.id: v.number for v in shown}
    collected = [
        CustodyStep(v.number, v.collected_at, "Collected", v.source, "", is_day=True) for v in shown
    ]
    moments = timeline(list(numbers), limit=limit + 1)
    deeds = [
        CustodyStep(numbers[m.target_id], m.at, CUSTODY[m.action], m.who, m.origin)
        for m in moments[:limit]
        if m.action in CUSTODY
    ]
    steps = sorted([*deeds, *collected], key=lambda step: step.at, reverse=True)
    return Custody(steps, limit if len(moments) > limit else None)


# ---- people in deeds


def doers(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names of those who brought in, reviewed or tested; pseudonyms for readers who may not see the
    log's names.
    """
    wanted: Collection[UUID] = {i for i in ids if i}
    if not wanted:
        return {}
    query = select(Membership.person_id, Membership.pseudonym, Person.name).join(
        Person, Person.id == Membership.person_id
    )
    rows = session().execute(query.where(Membership.person_id.in_(wanted)))
    named = allowed(people.NAMES)
    return {row.person_id: row.name if named else f"person {row.pseudonym[:8]}" for row in rows}


def _named(person: UUID | None, shown: Mapping[UUID, str]) -> str:
    return shown.get(person, FORMER) if person else CONSOLE


def covers(first: date, last: date) -> str:
    """Nov 2026, Q4 2026, Jul to Dec 2026, or from day to day: as people name periods."""
    whole = first.day == 1 and (
        last.toordinal() + 1
        == date(last.year + last.month // 12, last.month % 12 + 1, 1).toordinal()
    )
    if first == last:
        return f"{first.day} {first:%b %Y}"
    if whole and (first.year, first.month) == (last.year, last.month):
        return f"{first:%b %Y}"
    if (
        whole
        and first.year == last.year
        and (first.month - 1) % 3 == 0
        and last.month == first.month + 2
    ):
        return f"Q{last.month // 3} {last.year}"
    if whole and first.year == last.year:
        return (
            f"{last.year}"
            if (first.month, last.month) == (1, 12)
            else f"{first:%b} to {last:%b %Y}"
        )
    begin = f"{first.day} {first:%b}" + (f" {first.year}" if first.year != last.year else "")
    return f"{begin} to {last.day} {last:%b %Y}"
