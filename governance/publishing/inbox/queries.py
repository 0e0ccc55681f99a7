"""The acting person's inbox, from the sources that their role has, in one statement.

    page(view, group, after, size)   a page of it, with the counts of all of it
    item(key)                        one item, open or snoozed; NotFound when it needs somebody
                                     else, or nobody
    after(key)                       the item that follows another one in the list
    keys()                           the keys of what is open: a page asks which of its rows are
                                     still there
    tally()                          the counts alone, as the frame of every page shows them
    next_due()                       when the next item would come: asked for an empty inbox

Order: groups as the kernel ranks them, in a group what falls due (or began) first; of what is
snoozed, what returns first. The statements follow from the role alone and are put together once;
who asks, and when, are parameters. Counts are remembered until the tenant commits anything, an hour
passes, or something falls due or returns from a snooze.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    CompoundSelect,
    DateTime,
    Integer,
    Interval,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)

from governance.foundation.logbook.log_health import recall
from governance.foundation.people import permissions as people
from governance.kernel import clock, current
from governance.kernel.access import allowed
from governance.kernel.db import session
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.inbox import (
    GROUPS,
    ME,
    NOW,
    TENANT,
    InboxRow,
    InboxSource,
    end_of,
    parameters,
)
from governance.kernel.inbox import TODAY as TODAY_PARAMETER
from governance.kernel.tenant_cache import BoundedCache
from governance.publishing.inbox.models import InboxSnooze
from governance.publishing.inbox.sources import by_name, sources

PAGE_SIZE = 50
MAX_KEYS = 500
REMEMBERED = 2000  # people's counts of one tenant
VIEWS = ("open", "snoozed", "done")
COLUMNS = (
    "source",
    "id",
    "parent",
    "place",
    "about",
    "who",
    "detail",
    "since",
    "due",
    "is_snoozed",
)
MAX_SOON = 3
WHEN_IT_CHANGES = datetime(
    9999, 12, 31, tzinfo=UTC
)  # the place of what is snoozed until it changes: last
COUNTED_COLUMNS = ("id", "since", "due")
ASKED = "tally of the inbox"  # where a transaction keeps the counts that it has read


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A row with the source that words it.

    `rank` and `at` are its place in its list: the group and when it falls due (or began). Of what
    is snoozed, `at` is when it returns, and in their list `rank` says whether that is soon (0) or
    not (1).
    """

    row: InboxRow
    source: InboxSource
    rank: int
    at: datetime

    @property
    def key(self) -> str:
        return self.row.key

    @property
    def returns_at(self) -> datetime | None:
        """When a snoozed item comes back by itself; None: when it changes."""
        return self.at if self.row.is_snoozed and self.at < WHEN_IT_CHANGES else None

    @property
    def title(self) -> str:
        return self.source.title(self.row)

    @property
    def detail(self) -> str:
        return self.source.detail(self.row)


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """What an inbox holds.

    `groups` counts open items by group; `changes_at` is when a count changes by itself.
    """

    open: int = 0
    snoozed: int = 0
    late: int = 0
    due_today: int = 0
    changes_at: datetime | None = None
    groups: tuple[int, ...] = (0,) * len(GROUPS)

    def of(self, group: str) -> int:
        return next(
            count for each, count in zip(GROUPS, self.groups, strict=True) if each.key == group
        )


@dataclass(frozen=True, slots=True)
class InboxPage:
    """`soon` are the snoozed items that return first, beside the open ones."""

    items: Sequence[InboxItem]
    tally: InboxCounts
    next: str | None
    soon: Sequence[InboxItem] = ()


def sources_of(role: str) -> tuple[InboxSource, ...]:
    return tuple(source for source in sources() if role in source.needs.roles)


# ---- the statements


def _items(sources: Sequence[InboxSource], *, counted: bool = False) -> CTE:
    """Every row of these sources, with its place in the list and whether the person snoozed it;
    `counted`: without texts.
    """
    parts = [
        _part(source, counted=counted).add_columns(
            literal(source.name, String()).label("source"),
            literal(source.rank, Integer()).label("rank"),
        )
        for source in sources
    ]
    row, s = union_all(*parts).subquery("found").c, InboxSnooze
    unchanged = (s.item_since == row.since) & s.item_due.is_not_distinct_from(row.due)
    lasts = (s.until.is_(None) | (s.until > NOW)) & (row.due.is_(None) | (row.due > NOW))
    joined = and_(
        s.tenant_id == TENANT,
        s.person_id == ME,
        s.source == row.source,
        s.target_id == row.id,
        unchanged,
        lasts,
    )
    return (
        select(
            *row,
            func.coalesce(row.due, row.since).label("at"),
            s.id.is_not(None).label("is_snoozed"),
            s.until,
        )
        .outerjoin(s, joined)
        .cte("items")
    )


def _part(source: InboxSource, *, counted: bool) -> Select[Any]:
    query = source.select()
    if not counted:
        return query
    return query.with_only_columns(
        *(query.selected_columns[name] for name in COUNTED_COLUMNS), maintain_column_froms=True
    )


def _counts(items: CTE) -> Select[Any]:
    """The columns of a Tally."""
    i = items.c
    is_open = ~i.is_snoozed
    today = end_of(TODAY_PARAMETER)
    changes = func.least(func.min(i.until), func.min(case((i.due > NOW, i.due))))
    return select(
        func.count().filter(is_open).label("open"),
        func.count().filter(i.is_snoozed).label("snoozed"),
        func.count().filter(is_open, i.due < NOW).label("late"),
        func.count().filter(is_open, i.due >= NOW, i.due <= today).label("due_today"),
        changes.label("changes_at"),
        *(
            func.count().filter(is_open, i.rank == rank).label(f"of_{group.key}")
            for rank, group in enumerate(GROUPS)
        ),
    )


COUNTED = 5 + len(GROUPS)
EDGE: tuple[BindParameter[Any], ...] = (
    bindparam("edge_rank", type_=Integer()),
    bindparam("edge_at", type_=DateTime(timezone=True)),
    bindparam("edge_source", type_=String()),
    bindparam("edge_id", type_=Uuid()),
)


@lru_cache(maxsize=256)
def _page_statement(
    sources: tuple[InboxSource, ...],
    view: str,
    group: str,
    has_edge: bool,  # noqa: FBT001
) -> Select[Any] | None:
    if not sources:
        return None
    items = _items(sources)
    query = _snoozed(items) if view == "snoozed" else _open(items)
    if group:
        query = query.where(
            items.c.rank == next(n for n, each in enumerate(GROUPS) if each.key == group)
        )
    listed = query.subquery("listed")
    found = select(*listed.c).order_by(*_order(listed)).limit(bindparam("limit", type_=Integer()))
    if has_edge:
        found = found.where(tuple_(*_order(listed)) > tuple_(*EDGE))
    shown = (found if view == "snoozed" else _with_soon(items, found)).subquery("shown")
    tally = _counts(items).subquery("tally")
    columns = [shown.c[name] for name in COLUMNS]
    return (
        select(*tally.c, *columns, shown.c.rank, shown.c.at)
        .select_from(tally.outerjoin(shown, true()))
        .order_by(*_order(shown))
    )


def _open(items: CTE) -> Select[Any]:
    return select(*(items.c[name] for name in COLUMNS), items.c.rank, items.c.at).where(
        ~items.c.is_snoozed
    )


def _snoozed(items: CTE) -> Select[Any]:
    at = _returns_at(items)
    by_tomorrow = end_of(TODAY_PARAMETER) + literal(timedelta(days=1), Interval())
    rank = case((at <= by_tomorrow, 0), else_=1)
    return select(*(items.c[name] for name in COLUMNS), rank.label("rank"), at.label("at")).where(
        items.c.is_snoozed
    )


def _returns_at(items: CTE) -> Any:
    """A deadline ends a snooze, too."""
    return func.coalesce(
        func.least(items.c.until, items.c.due), literal(WHEN_IT_CHANGES, DateTime(timezone=True))
    )


def _with_soon(items: CTE, found: Select[Any]) -> CompoundSelect[Any]:
    snoozed = _snoozed(items).subquery("snoozed")
    soon = select(*snoozed.c).order_by(*_order(snoozed)).limit(MAX_SOON)
    return union_all(found.subquery("open").select(), soon.subquery("soon").select())


def _order(rows: Any) -> tuple[Any, ...]:
    return (rows.c.rank, rows.c.at, rows.c.source, rows.c.id)


@lru_cache(maxsize=256)
def _tally_statement(sources: tuple[InboxSource, ...]) -> Select[Any] | None:
    """Named in the statement, so that tests can tell it from a page's own (tests/conftest.py)."""
    return (
        _counts(_items(sources, counted=True)).prefix_with("/* the shell: the inbox */")
        if sources
        else None
    )


@lru_cache(maxsize=256)
def _item_statement(source: InboxSource) -> Select[Any]:
    items = _items([source])
    columns = [items.c[name] for name in COLUMNS]
    at = case((items.c.is_snoozed, _returns_at(items)), else_=items.c.at)
    return select(*columns, items.c.rank, at.label("at")).where(
        items.c.id == bindparam("item_id", type_=Uuid())
    )


@lru_cache(maxsize=256)
def _keys_statement(sources: tuple[InboxSource, ...]) -> Select[Any] | None:
    if not sources:
        return None
    items = _items(sources, counted=True)
    return select(items.c.source, items.c.id).where(~items.c.is_snoozed).limit(MAX_KEYS)


# ---- reading


def page(
    *, view: str = "open", group: str = "", after: str | None = None, size: int = PAGE_SIZE
) -> InboxPage:
    """One statement; none for a role that no source is for."""
    edge = _edge(after) if after else None
    statement = _page_statement(sources_of(current.actor().role), view, group, edge is not None)
    if statement is None:
        return InboxPage((), InboxCounts(), None)
    rows = session().execute(statement, parameters() | {"limit": size + 1} | (edge or {})).all()
    counted = _tally(rows[0])
    session().info[ASKED] = counted
    every = [_item(row[COUNTED:]) for row in rows if row[COUNTED] is not None]
    found = [each for each in every if each.row.is_snoozed == (view == "snoozed")]
    soon = [each for each in every if each.row.is_snoozed] if view == "open" else []
    return InboxPage(
        found[:size], counted, cursor(found[size - 1]) if len(found) > size else None, soon
    )


def item(key: str) -> InboxItem:
    """One statement over its source alone."""
    name, _, text = key.partition(".")
    source, found = by_name().get(name), None
    if source is not None and allowed(source.needs) and (item_id := _uuid(text)):
        found = (
            session().execute(_item_statement(source), parameters() | {"item_id": item_id}).first()
        )
    if found is None:
        raise NotFound(
            "This no longer needs you: someone decided it, it has another owner, or your access"
            " changed."
        )
    return _item(found)


def following(edge: str, done: str) -> InboxItem | None:
    """The open item behind a cursor, else the first one; never the one that is done."""
    for after in (edge, None):
        found = next((each for each in page(after=after, size=2).items if each.key != done), None)
        if found is not None:
            return found
    return None


def keys() -> list[str]:
    statement = _keys_statement(sources_of(current.actor().role))
    if statement is None:
        return []
    return [f"{row.source}.{row.id}" for row in session().execute(statement, parameters())]


def tally() -> InboxCounts:
    """At most one statement; none where a page of this transaction has read the counts, or they are
    remembered.
    """
    asked: InboxCounts | None = session().info.get(ASKED)
    if asked is not None:
        return asked
    who, now = current.actor(), clock.now()
    if _tally_statement(sources_of(who.role)) is None or who.person_id is None:
        return InboxCounts()
    known = recall("inbox counts", lambda: BoundedCache(REMEMBERED))
    found: InboxCounts = known.get(
        (who.person_id, who.role, now.replace(minute=0, second=0, microsecond=0)), _read_tally
    )
    if found.changes_at is not None and found.changes_at <= now:
        found = _read_tally()
    session().info[ASKED] = found
    return found


def _read_tally() -> InboxCounts:
    statement = _tally_statement(sources_of(current.actor().role))
    assert statement is not None
    row = session().execute(statement, parameters()).one()
    return _tally(row)


def _tally(row: Any) -> InboxCounts:
    """From the first columns of a row, as `_counts` orders them."""
    is_open, snoozed, late, due_today, changes_at, *groups = row[:COUNTED]
    return InboxCounts(is_open, snoozed, late, due_today, changes_at, tuple(groups))


def next_due() -> date | None:
    """Of the sources that can tell it: the first day on which something of this person falls
    due.
    """
    asked = [
        source.next_due()
        for source in sources_of(current.actor().role)
        if source.next_due is not None
    ]
    if not asked:
        return None
    days: list[date] = [
        day for day in session().scalars(union_all(*asked), parameters()) if day is not None
    ]
    return min(days, default=None)


def _item(row: Any) -> InboxItem:
    source, item_id, parent, place, about, who, detail, since, due, is_snoozed, rank, at = row
    shown = who if allowed(people.NAMES) else None
    found = InboxRow(source, item_id, parent, place, about, shown, detail, since, due, is_snoozed)
    return InboxItem(found, by_name()[source], rank, at)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# ---- cursors


def cursor(item: InboxItem) -> str:
    """The place of an item in the list, for an address."""
    told = [item.rank, item.at.astimezone(UTC).isoformat(), item.row.source, str(item.row.id)]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _edge(text: str) -> dict[str, Any]:
    try:
        rank, at, source, item_id = json.loads(base64.urlsafe_b64decode(text))
        read = (
            int(rank) % len(GROUPS),
            datetime.fromisoformat(at).astimezone(UTC),
            by_name()[source].name,
            UUID(item_id),
        )
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise Invalid("This page link is invalid. Start again from the first page.") from error
    return {parameter.key: value for parameter, value in zip(EDGE, read, strict=True)}


assert len(fields(InboxRow)) == len(COLUMNS)
