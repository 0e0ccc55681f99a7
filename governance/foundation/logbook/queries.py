"""Reads of the log: its pages, new entries, one actor's activity, exports and checkpoints."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, false, func, select, text, tuple_

from governance.foundation.anchors.models import Receipt
from governance.foundation.audit.models import AuditEntry, Checkpoint, Leaf, LogHead, PendingEntry
from governance.foundation.logbook.entry_links import described, label
from governance.foundation.logbook.filters import Filters, matches
from governance.foundation.logbook.models import LogExport, SavedView
from governance.kernel import current
from governance.kernel.data.db import find, session
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.work.background_work import Run, run_of, with_work

PAGE = 50
MAX_NEW_ENTRIES = 100  # The limit up to which the live update counts.
MAX_PENDING_COUNTED = 100_000  # A halted log may have more; the difference doesn't matter.
MAX_VIEWS = 50
MAX_KINDS_SHOWN = 12  # Kinds of action and IP addresses of one actor.
MAX_ENTRIES_EXAMINED = 2_000  # Entries per actor.


@dataclass(frozen=True, slots=True)
class NumberedEntry:
    """An entry and its place; None while it has none yet."""

    entry: AuditEntry
    index: int | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page, newest first.

    `next` is the cursor of the page after it; `searched_to` is the place where a search stopped
    before the page was full.
    """

    rows: Sequence[NumberedEntry]
    next: str | None
    searched_to: int | None = None


def placed() -> Select[AuditEntry, int]:
    """Select entries with their places, pending ones included."""
    there = (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
    return select(AuditEntry, Leaf.index).outerjoin(Leaf, there)


def listed(filters: Filters, zone: str, *, after: str | None = None) -> LogPage:
    """Return a page of the entries that match the filters, in one statement.

    Words are compared in search.py.
    """
    query = placed().where(*filters.conditions(zone))
    order = (AuditEntry.at, AuditEntry.id)
    # The select may have any width.
    found = keyset(query, *order, after=after, size=PAGE, descending=True)  # type: ignore[arg-type]
    return LogPage([NumberedEntry(entry, index) for entry, index in found.rows], found.next)


def row(entry_id: UUID) -> NumberedEntry:
    """Return one entry and its place."""
    entry = find(AuditEntry, entry_id, what="entry")
    return NumberedEntry(entry, session().scalar(select(Leaf.index).where(Leaf.id == entry_id)))


def newer(
    filters: Filters, zone: str, at: datetime, entry_id: UUID, *, own: str, own_action: str
) -> int:
    """Count the entries after that one, up to MAX_NEW_ENTRIES.

    The reader's own page views don't count: they are no news.
    """
    query = select(AuditEntry).where(
        tuple_(AuditEntry.at, AuditEntry.id) > tuple_(at, entry_id), *filters.conditions(zone)
    )
    newest = query.where(~((AuditEntry.action == own_action) & (AuditEntry.actor == own)))
    newest = newest.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(MAX_NEW_ENTRIES)
    return sum(1 for entry in session().scalars(newest) if matches(entry, filters.words))


@dataclass(frozen=True, slots=True)
class Extent:
    """The number of entries of the log, and the time of the first."""

    entries: int
    since: datetime | None


def extent() -> Extent:
    """Return the log's extent in one statement. Its cost doesn't grow: the tree stores its size."""
    size = func.coalesce(select(LogHead.size).scalar_subquery(), 0)
    waiting = (
        select(func.count())
        .select_from(select(PendingEntry.id).limit(MAX_PENDING_COUNTED).subquery())
        .scalar_subquery()
    )
    first = select(AuditEntry.at).order_by(AuditEntry.at).limit(1).scalar_subquery()
    entries, since = session().execute(select(size + waiting, first)).one()
    return Extent(entries, since)


def neighbours(index: int) -> dict[int, UUID]:
    """Return index → id of the entries before and after it."""
    query = select(Leaf.index, Leaf.id).where(Leaf.index.in_((index - 1, index + 1)))
    # A Row's types are lost in dict().
    return {at: entry_id for at, entry_id in session().execute(query)}  # noqa: C416


FIRST_ENTRIES = text(
    "SELECT target.id, first.changes, first.facts"
    " FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS uuid[])) AS target (kind, id)"
    " CROSS JOIN LATERAL ("
    " SELECT changes, facts FROM audit_entries"
    " WHERE tenant_id = :tenant AND target_type = target.kind AND target_id = target.id"
    " ORDER BY at LIMIT 1) AS first"
)


def target_labels(entries: Collection[AuditEntry]) -> dict[UUID, str]:
    """Return entry id → the name of its target, from the entry or else from the target's first one.

    One statement at most.
    """
    own = {e.id: described(e.changes, e.facts) for e in entries}
    nameless = {
        (e.target_type, e.target_id)
        for e in entries
        if label(e.target_type, e.target_id, own[e.id]).endswith(e.target_id.hex[:8])
    }
    first = _first_descriptions(nameless) if nameless else {}
    return {
        e.id: label(e.target_type, e.target_id, own[e.id], first.get(e.target_id, {}))
        for e in entries
    }


def _first_descriptions(
    targets: Collection[tuple[str, UUID]],
) -> dict[UUID, Mapping[str, Any]]:
    values = {
        "tenant": current.actor().tenant_id,
        "kinds": [kind for kind, _ in targets],
        "ids": [each for _, each in targets],
    }
    rows = session().execute(FIRST_ENTRIES, values)
    return {row.id: described(row.changes, row.facts) for row in rows}


# ---- one actor


@dataclass(frozen=True, slots=True)
class ActorActivity:
    """The activity of a pseudonym.

    It has the first and last entry, and counts of actions and IP addresses among the latest ones.
    """

    kind: str
    first: datetime
    last: datetime
    looked_at: int
    by_action: Sequence[tuple[str, int]]
    origins: Sequence[tuple[str, int, datetime]]
    browsers: Sequence[str]

    @property
    def is_whole(self) -> bool:
        return self.looked_at < MAX_ENTRIES_EXAMINED


def actor_activity(pseudonym: str) -> ActorActivity | None:
    """Summarize an actor in three statements over the index by actor; None for an unknown one."""
    mine = select(AuditEntry.at, AuditEntry.actor_kind).where(AuditEntry.actor == pseudonym)
    first = session().execute(mine.order_by(AuditEntry.at).limit(1)).one_or_none()
    if first is None:
        return None
    recent = select(AuditEntry.at, AuditEntry.action, AuditEntry.origin).where(
        AuditEntry.actor == pseudonym
    )
    rows = (
        session().execute(recent.order_by(AuditEntry.at.desc()).limit(MAX_ENTRIES_EXAMINED)).all()
    )
    actions, origins = dict[str, int](), dict[str, tuple[int, datetime]]()
    for each in rows:
        actions[each.action] = actions.get(each.action, 0) + 1
        count, last = origins.get(each.origin, (0, each.at))
        origins[each.origin] = (count + 1, last)
    return ActorActivity(
        first.actor_kind,
        first.at,
        rows[0].at,
        len(rows),
        sorted(actions.items(), key=lambda pair: -pair[1])[:MAX_KINDS_SHOWN],
        [
            (origin, count, last)
            for origin, (count, last) in sorted(origins.items(), key=lambda pair: -pair[1][0])
            if origin
        ][:MAX_KINDS_SHOWN],
        _browsers(pseudonym),
    )


def _browsers(pseudonym: str) -> list[str]:
    """Return the browsers of the actor's latest sign-ins, each once."""
    query = select(AuditEntry.facts["browser"].astext).where(
        AuditEntry.actor == pseudonym, AuditEntry.action == "session.started"
    )
    newest = session().scalars(
        query.order_by(AuditEntry.at.desc()).limit(MAX_ENTRIES_EXAMINED // 10)
    )
    return list(dict.fromkeys(each for each in newest if each))[:MAX_KINDS_SHOWN]


# ---- saved views


def views() -> Sequence[SavedView]:
    return session().scalars(select(SavedView).order_by(SavedView.name).limit(MAX_VIEWS)).all()


def view(view_id: UUID) -> SavedView:
    return find(SavedView, view_id, what="saved view")


def view_named(name: str) -> SavedView | None:
    return session().scalars(select(SavedView).where(SavedView.name == name)).one_or_none()


# ---- exports


def exports(*, after: str | None = None) -> Keyset:
    """Return a page of pairs (export, work), newest first, in one statement."""
    query: Any = with_work(LogExport)
    return keyset(
        query, LogExport.created_at, LogExport.id, after=after, size=PAGE, descending=True
    )


def export(export_id: UUID, *, lock: bool = False) -> Run[LogExport]:
    return run_of(find(LogExport, export_id, what="export", lock=lock))


# ---- checkpoints


def checkpoints(
    wanted: Mapping[str, str], *, sort: str = "-number", after: str | None = None, size: int = 50
) -> Keyset:
    """Return a page of the checkpoints.

    `wanted` holds the filters: q (a number, or the first digits of a root), key, outside.
    """
    query, receipt = (
        select(Checkpoint),
        select(Receipt.id).where(Receipt.checkpoint_id == Checkpoint.id),
    )
    if q := wanted.get("q", "").lower():
        query = query.where(
            (cast(Checkpoint.number, String) == q)
            | func.encode(Checkpoint.root, "hex").startswith(q, autoescape=True)
        )
    if "key" in wanted:
        query = query.where(Checkpoint.key_id == wanted["key"])
    if outside := wanted.get("outside"):
        of = {
            "none": ~receipt.exists(),
            **{
                each: receipt.where(Receipt.outcome == each).exists()
                for each in ("agrees", "conflict")
            },
        }
        query = query.where(of.get(outside, false()))
    return keyset(query, Checkpoint.number, after=after, size=size, descending=sort.startswith("-"))
