"""Reading the log: a page of it, what is new in it, what one actor did, views that were saved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, false, func, select, text, tuple_

from governance.foundation.anchors.models import Receipt
from governance.foundation.audit.models import AuditEntry, Checkpoint, Leaf, LogHead, PendingEntry
from governance.foundation.logbook.entry_links import told, words
from governance.foundation.logbook.filters import Filters, matches
from governance.foundation.logbook.models import LogExport, SavedView
from governance.kernel import current
from governance.kernel.background_work import Run, run_of, with_work
from governance.kernel.db import find, session
from governance.kernel.pages import Keyset, keyset

PAGE = 50
MOST_NEW = 100  # what the live tail counts up to
MOST_PENDING = 100_000  # a log that is halted may have more; nobody reads the difference
MOST_VIEWS = 50
MOST_KINDS = 12  # kinds of action and origins of one actor
RECENT = 2_000  # how many of an actor's entries are looked through for them


@dataclass(frozen=True, slots=True)
class NumberedEntry:
    """An entry and its place; None while it waits for one."""

    entry: AuditEntry
    index: int | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page, newest first.

    `next` is the mark behind it; `searched_to` the place that a search came to without filling it.
    """

    rows: Sequence[NumberedEntry]
    next: str | None
    searched_to: int | None = None


def placed() -> Select[AuditEntry, int]:
    """Entries with their places, those without one too."""
    there = (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
    return select(AuditEntry, Leaf.index).outerjoin(Leaf, there)


def listed(filters: Filters, zone: str, *, after: str | None = None) -> LogPage:
    """A page of what the filters let through, one statement; words are looked for in search.py."""
    query = placed().where(*filters.conditions(zone))
    marks = (AuditEntry.at, AuditEntry.id)
    # of any width
    found = keyset(query, *marks, after=after, size=PAGE, descending=True)  # type: ignore[arg-type]
    return LogPage([NumberedEntry(entry, index) for entry, index in found.rows], found.next)


def row(entry_id: UUID) -> NumberedEntry:
    """One entry and its place."""
    entry = find(AuditEntry, entry_id, what="entry")
    return NumberedEntry(entry, session().scalar(select(Leaf.index).where(Leaf.id == entry_id)))


def newer(
    filters: Filters, zone: str, at: datetime, entry_id: UUID, *, own: str, own_action: str
) -> int:
    """How many entries came after that one, at most a hundred.

    The reader's own page views are no news to him.
    """
    query = select(AuditEntry).where(
        tuple_(AuditEntry.at, AuditEntry.id) > tuple_(at, entry_id), *filters.conditions(zone)
    )
    newest = query.where(~((AuditEntry.action == own_action) & (AuditEntry.actor == own)))
    newest = newest.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(MOST_NEW)
    return sum(1 for entry in session().scalars(newest) if matches(entry, filters.words))


@dataclass(frozen=True, slots=True)
class Extent:
    """How many entries the log has, and since when."""

    entries: int
    since: datetime | None


def extent() -> Extent:
    """One statement, whatever the size: the tree knows how many it holds."""
    size = func.coalesce(select(LogHead.size).scalar_subquery(), 0)
    waiting = (
        select(func.count())
        .select_from(select(PendingEntry.id).limit(MOST_PENDING).subquery())
        .scalar_subquery()
    )
    first = select(AuditEntry.at).order_by(AuditEntry.at).limit(1).scalar_subquery()
    entries, since = session().execute(select(size + waiting, first)).one()
    return Extent(entries, since)


def beside(index: int) -> dict[int, UUID]:
    """Index → id of the entries before and behind it."""
    query = select(Leaf.index, Leaf.id).where(Leaf.index.in_((index - 1, index + 1)))
    # a Row's types are lost in dict()
    return {at: entry_id for at, entry_id in session().execute(query)}  # noqa: C416


FIRST_TOLD = text(
    "SELECT wanted.id, first.changes, first.facts FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS"
    " uuid[])) AS wanted (kind, id) CROSS JOIN LATERAL (SELECT changes, facts FROM audit_entries"
    " WHERE tenant_id = :tenant AND target_type = wanted.kind AND target_id = wanted.id ORDER BY at"
    " LIMIT 1) AS first"
)


def target_words(entries: Collection[AuditEntry]) -> dict[UUID, str]:
    """Entry id → its object in words: from the entry itself, otherwise from the first one about it.

    One statement at most.
    """
    own = {e.id: told(e.changes, e.facts) for e in entries}
    nameless = {
        (e.target_type, e.target_id)
        for e in entries
        if words(e.target_type, e.target_id, own[e.id]).endswith(e.target_id.hex[:8])
    }
    first = _first_told(nameless) if nameless else {}
    return {
        e.id: words(e.target_type, e.target_id, own[e.id], first.get(e.target_id, {}))
        for e in entries
    }


def _first_told(targets: Collection[tuple[str, UUID]]) -> dict[UUID, Mapping[str, Any]]:
    values = {
        "tenant": current.actor().tenant_id,
        "kinds": [kind for kind, _ in targets],
        "ids": [each for _, each in targets],
    }
    return {row.id: told(row.changes, row.facts) for row in session().execute(FIRST_TOLD, values)}


# ---- one actor


@dataclass(frozen=True, slots=True)
class Doings:
    """What a pseudonym did: first, last, and among its newest entries how often what, and from
    where.
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
        return self.looked_at < RECENT


def doings(pseudonym: str) -> Doings | None:
    """Three statements over the index by actor; None when this log knows no such actor."""
    mine = select(AuditEntry.at, AuditEntry.actor_kind).where(AuditEntry.actor == pseudonym)
    first = session().execute(mine.order_by(AuditEntry.at).limit(1)).one_or_none()
    if first is None:
        return None
    recent = select(AuditEntry.at, AuditEntry.action, AuditEntry.origin).where(
        AuditEntry.actor == pseudonym
    )
    rows = session().execute(recent.order_by(AuditEntry.at.desc()).limit(RECENT)).all()
    actions, origins = dict[str, int](), dict[str, tuple[int, datetime]]()
    for each in rows:
        actions[each.action] = actions.get(each.action, 0) + 1
        count, last = origins.get(each.origin, (0, each.at))
        origins[each.origin] = (count + 1, last)
    return Doings(
        first.actor_kind,
        first.at,
        rows[0].at,
        len(rows),
        sorted(actions.items(), key=lambda pair: -pair[1])[:MOST_KINDS],
        [
            (origin, *held)
            for origin, held in sorted(origins.items(), key=lambda pair: -pair[1][0])
            if origin
        ][:MOST_KINDS],
        _browsers(pseudonym),
    )


def _browsers(pseudonym: str) -> list[str]:
    """What the actor's newest sign-ins were made with, each once."""
    query = select(AuditEntry.facts["browser"].astext).where(
        AuditEntry.actor == pseudonym, AuditEntry.action == "session.started"
    )
    newest = session().scalars(query.order_by(AuditEntry.at.desc()).limit(RECENT // 10))
    return list(dict.fromkeys(each for each in newest if each))[:MOST_KINDS]


# ---- saved views


def views() -> Sequence[SavedView]:
    return session().scalars(select(SavedView).order_by(SavedView.name).limit(MOST_VIEWS)).all()


def view(view_id: UUID) -> SavedView:
    return find(SavedView, view_id, what="saved view")


def view_named(name: str) -> SavedView | None:
    return session().scalars(select(SavedView).where(SavedView.name == name)).one_or_none()


# ---- exports


def exports(*, after: str | None = None) -> Keyset:
    """Pairs of export and work, the newest first, one statement."""
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
    """A page of the checkpoints.

    `wanted` holds the filters: q (a number, or how a root begins), key, outside.
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
