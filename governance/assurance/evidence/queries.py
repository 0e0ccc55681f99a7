"""Queries for the evidence library, single items, and controls that evidence can support.

    library(…) → EvidencePage     a page of live items, filtered and sorted, in three statements
    matching_ids, summaries_of    the rows of an export
    find_evidence, find_version   rows to act on
    state_of, control_links       the state of an item, and the controls it supports

The database filters, sorts and counts lists (freshness_sql.py). freshness.py computes the states
that a page shows. Everything is limited to what the acting person may see (visibility.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Date, DateTime, Select, bindparam, select, true

from governance.assurance.evidence import freshness_sql
from governance.assurance.evidence.freshness import (
    Freshness,
    Version,
    accepted_version,
    deadline,
    freshness,
    latest_version,
)
from governance.assurance.evidence.freshness_sql import STATES
from governance.assurance.evidence.item_history import (
    EvidenceItem,
    JudgedVersion,
    evidence_items,
    item_of,
)
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceVersion,
)
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.evidence.ports import supported_controls
from governance.assurance.evidence.visibility import WHOLE, VisibleScope, visible_scope
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.aliases import has_unlimited_names, label, reading
from governance.kernel import clock, formatting
from governance.kernel.data.db import among, find, find_several, session
from governance.kernel.data.selects import Selected, one_of
from governance.kernel.data.tenant_cache import BoundedCache
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import keyset


@dataclass(frozen=True, slots=True)
class EvidenceSummary:
    """A row of the library."""

    piece: EvidenceItem
    fresh: Freshness
    last: Version | None
    deadline: date | None
    pending: JudgedVersion | None
    controls: tuple[tuple[UUID, str, str], ...] = ()

    @property
    def line(self) -> "EvidenceLine":
        p, last = self.piece, self.last
        return EvidenceLine(
            p.id,
            p.ref,
            p.title,
            f"{p.kind}, {p.cadence}, {plural(len(p.versions), 'version')}",
            self.covers,
            last.source if last else None,
            self.controls,
            p.owner,
            self.deadline,
            self.fresh.state,
            self.fresh.word,
            self.pending is not None and self.fresh.state != "in review",
        )

    @property
    def covers(self) -> str:
        """Period of the accepted version, or else of the latest one."""
        version = accepted_version(self.piece.at(clock.now())) or self.last
        return period_label(version.period_from, version.period_to) if version else ""


class EvidenceLine(NamedTuple):
    """A row with the cells that the list shows."""

    id: UUID
    ref: str
    title: str
    about: str
    covers: str
    source: str | None
    controls: tuple[tuple[UUID, str, str], ...]
    owner: str | None
    deadline: date | None
    state: str
    word: str
    is_newer_in_review: bool


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """A page of rows with the counts of the whole list.

    `matching` is the number of items that match the filters, `states` the number of live items by
    state, `reviews` the number of versions in review. `lines` are the rows as the list shows them.
    """

    rows: Sequence[EvidenceSummary]
    matching: int
    states: Mapping[str, int]
    next: str | None
    reviews: int
    lines: Sequence[EvidenceLine] = ()

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class LinkView:
    control_id: UUID
    ref: str
    title: str
    note: str
    retired: bool


# ---- Rows to act on


def find_evidence(evidence_id: UUID, *, lock: bool = False) -> Evidence:
    found = find(Evidence, evidence_id, what="evidence item", lock=lock)
    if not visible_scope().shows(found.id):
        raise NotFound("This evidence item doesn't exist, or you don't have access to it.")
    return found


def find_items(ids: Collection[UUID], *, lock: bool = False) -> list[Evidence]:
    """Return the items with these ids that are visible, by ref. `lock` locks the rows."""
    found = find_several(Evidence, ids, order=Evidence.ref, lock=lock)
    return [row for row in found if visible_scope().shows(row.id)]


def find_version(version_id: UUID, *, lock: bool = False) -> tuple[EvidenceVersion, Evidence]:
    """Return a version and its item. `lock` locks the item against uploads and reviews."""
    version = find(EvidenceVersion, version_id, what="version")
    if not visible_scope().shows_version(version):
        raise NotFound("This version doesn't exist, or you don't have access to it.")
    return version, find_evidence(version.evidence_id, lock=lock)


# ---- Library


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
    """Return a page of live items with their state today. `owner` is a person's id or "nobody".

    For readers who see all evidence, pages are cached for the minute, separately for each way of
    showing names, until the tenant commits a change.
    """
    narrowed = q, state, owner, kind, control

    def read() -> EvidencePage:
        return _read_library(narrowed, sort, after, size, descending=descending)

    if visible_scope() is not WHOLE:
        return read()
    pages = recall("pages of the library", lambda: BoundedCache(MAX_CACHED_PAGES))
    minute = clock.now().replace(second=0, microsecond=0)
    with formatting.as_tenant():  # Readers share the cache, so personal formats don't apply.
        return pages.get((narrowed, sort, descending, after, size, minute, reading()), read)


def _read_library(
    narrowed: "Narrowed", sort: str, after: str | None, size: int, *, descending: bool
) -> EvidencePage:
    seen, now = visible_scope(), clock.now()
    whole = seen is WHOLE and not any(narrowed) and has_unlimited_names()
    shown, tally, columns = (_whole_library if whole else _library)(seen, narrowed, sort)
    values = {NOW.key: now, TODAY.key: now.date()}
    found = keyset(
        shown, *columns, after=after, size=size, descending=descending, parameters=values
    )
    _, matching, reviews, *states = (
        found.rows[0] if found.rows else (None, *session().execute(select(tally), values).one())
    )
    rows = summaries_of([row[0] for row in found.rows])
    by_state, lines = dict(zip(STATES, states, strict=True)), tuple(row.line for row in rows)
    return EvidencePage(rows, matching, by_state, found.next, reviews, lines)


MAX_CACHED_PAGES = 12  # Per tenant. A page of 50 items takes about 150 kB.
NOW = bindparam("library_now", type_=DateTime(timezone=True))
TODAY = bindparam("library_today", type_=Date())
type Narrowed = tuple[str, str, UUID | str, str, UUID | None]


def _library(
    seen: VisibleScope, narrowed: Narrowed, sort: str
) -> tuple[Select[Any], CTE, tuple[ColumnElement[Any], ...]]:
    """Return the query of items with counts, the counts alone, and the columns to sort by."""
    q, state, owner, kind, control = narrowed
    f = freshness_sql.facts(NOW, seen, TODAY, label)
    criteria = freshness_sql.matching(
        f, seen, q=q, state=state, owner=owner, kind=kind, control=control
    )
    tally = freshness_sql.tally(f, criteria)
    shown = select(f.c.id, *tally.c).join_from(f, tally, true()).where(criteria)
    return shown, tally, freshness_sql.order(f, sort)


_whole_library = lru_cache(maxsize=16)(_library)


def matching_ids(
    *,
    q: str = "",
    state: str = "",
    owner: UUID | str = "",
    kind: str = "",
    control: UUID | None = None,
    sort: str = "ref",
    descending: bool = False,
) -> Sequence[UUID]:
    """Return the ids of all matching items in the order of the list, for exports."""
    seen = visible_scope()
    f = freshness_sql.facts(clock.now(), seen, called=label)
    columns = [c.desc() if descending else c.asc() for c in freshness_sql.order(f, sort)]
    criteria = freshness_sql.matching(
        f, seen, q=q, state=state, owner=owner, kind=kind, control=control
    )
    return session().scalars(select(f.c.id).where(criteria).order_by(*columns)).all()


def summaries_of(ids: Sequence[UUID]) -> list[EvidenceSummary]:
    """Return the rows of these items, in this order, in two statements."""
    if not ids:
        return []
    now, found, linked = clock.now(), evidence_items(only=ids, seen=visible_scope()), _links(ids)
    return [_summary(found[i], now, linked.get(i, ())) for i in ids if i in found]


def _summary(
    piece: EvidenceItem, now: datetime, controls: Sequence[tuple[UUID, str, str]]
) -> EvidenceSummary:
    known = piece.at(now)
    fresh = freshness(known, cadence=piece.cadence, due_on=piece.due_on, today=now.date())
    waiting = next(
        (
            h
            for h in reversed(piece.versions)
            if h.is_known_at(now) and h.at(now).review == "pending"
        ),
        None,
    )
    return EvidenceSummary(
        piece,
        fresh,
        latest_version(known),
        deadline(known, due_on=piece.due_on),
        waiting,
        tuple(controls),
    )


def _links(ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, str, str]]]:
    """Return the live controls that each item supports, as (control id, ref, title)."""
    query = _every_link() if visible_scope() is WHOLE else _link_query(visible_scope())
    found: dict[UUID, list[tuple[UUID, str, str]]] = {}
    for row in session().execute(query.where(among(EvidenceLink.evidence_id, ids))):
        found.setdefault(row[0], []).append((row[1], row[2], row[3]))
    return found


@cache
def _every_link() -> Select[Any]:
    return _link_query(WHOLE)


def _link_query(seen: VisibleScope) -> Select[Any]:
    control = supported_controls()().subquery("control").c
    return (
        select(EvidenceLink.evidence_id, control.id, control.ref, control.title)
        .where(
            control.id == EvidenceLink.control_id,
            control.retired_at.is_(None),
            EvidenceLink.removed_at.is_(None),
            *seen.of_controls(control.id),
        )
        .order_by(control.ref)
    )


def ref_of_control(control_id: UUID) -> str:
    control = supported_controls()().subquery("control").c
    return str(session().scalar(select(control.ref).where(control.id == control_id)) or "a control")


def control_choices() -> list[tuple[UUID, str]]:
    """List each live control as (id, "SEC-04 Third-party penetration test")."""
    return [(control_id, f"{ref} {title}") for control_id, ref, title in LIVE_CONTROLS.read()]


def _live_controls(ids: Collection[UUID] | None = None) -> Select[*tuple[Any, ...]]:
    """Select (id, ref, title) of the live controls, or of those among `ids`, by ref."""
    control = supported_controls()().subquery("control").c
    query = select(control.id, control.ref, control.title).where(control.retired_at.is_(None))
    return (query if ids is None else query.where(control.id.in_(ids))).order_by(control.ref)


LIVE_CONTROLS = Selected[tuple[UUID, str, str]](_live_controls)


# ---- One item


def state_of(evidence: Evidence) -> tuple[EvidenceItem, Freshness]:
    piece = item_of(evidence.id, visible_scope())
    return piece, piece.freshness(clock.now())


def _links_of_item(seen: VisibleScope) -> Select[*tuple[Any, ...]]:
    control = supported_controls()().subquery("control").c
    return (
        select(control.id, control.ref, control.title, EvidenceLink.note, control.retired_at)
        .where(
            control.id == EvidenceLink.control_id,
            one_of(EvidenceLink.evidence_id, "evidence_ids"),
            EvidenceLink.removed_at.is_(None),
            *seen.of_controls(control.id),
        )
        .order_by(control.ref)
    )


LINKS = Selected[tuple[Any, ...]](lambda: _links_of_item(WHOLE))


def control_links(evidence: Evidence) -> list[LinkView]:
    rows: Iterable[Sequence[Any]]
    if (seen := visible_scope()) is WHOLE:
        rows = LINKS.read(evidence_ids=(evidence.id,))
    else:
        rows = session().execute(_links_of_item(seen), {"evidence_ids": [evidence.id]})
    return [
        LinkView(control_id, ref, title, note, retired_at is not None)
        for control_id, ref, title, note, retired_at in rows
    ]


# ---- API uploads


def find_by_ref(ref: str) -> Evidence:
    """Return the item with this ref, such as EV-0007, ignoring case. Raises NotFound."""
    found = (
        session().scalars(select(Evidence).where(Evidence.ref == ref.strip().upper())).one_or_none()
    )
    if found is None or not visible_scope().shows(found.id):
        raise NotFound("This evidence item doesn't exist, or you don't have access to it.")
    return found


def require_live_controls(ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the refs of these controls by id. Raises Invalid if one is retired or unknown."""
    live = session().execute(_live_controls(ids)).all() if ids else ()
    if len(live) != len(set(ids)):
        raise Invalid(
            "One of these controls doesn't exist or is retired. Choose another one.",
            field="controls",
        )
    return {row.id: row.ref for row in live}
