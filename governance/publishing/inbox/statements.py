"""The SQL statements of the inbox.

They depend only on the role, so each is built once, with the person and the time as parameters.
They join some thirty sources. PostgreSQL plans each statement once per connection, since planning
takes longer than running when little needs a person.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

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

from governance.kernel.data.compiled_select import CompiledSelect
from governance.kernel.work.inbox import (
    GROUPS,
    ME,
    NOW,
    TENANT,
    InboxRow,
    InboxSource,
    end_of,
)
from governance.kernel.work.inbox import TODAY as TODAY_PARAMETER
from governance.publishing.inbox.models import InboxSnooze

MAX_KEYS = 500
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
WHEN_IT_CHANGES = datetime(9999, 12, 31, tzinfo=UTC)  # Sorts after every other return.
COUNTED_COLUMNS = ("id", "since", "due")


def _items(sources: Sequence[InboxSource], *, counted: bool = False) -> CTE:
    """Return every row of these sources, with its place and its snooze. `counted` omits texts."""
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
    """Return the columns of InboxCounts."""
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
def page_statement(
    sources: tuple[InboxSource, ...],
    view: str,
    group: str,
    has_edge: bool,  # noqa: FBT001
) -> CompiledSelect[Any] | None:
    if not sources:
        return None
    return _asked(lambda: _page(sources, view, group, has_edge=has_edge))


def _asked(build: Callable[[], Select[Any]]) -> CompiledSelect[Any]:
    return CompiledSelect(build, tuple)


def _page(
    sources: tuple[InboxSource, ...], view: str, group: str, *, has_edge: bool
) -> Select[Any]:
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
    return (
        select(*tally.c, *_texts(shown, sources), shown.c.rank, shown.c.at)
        .select_from(tally.outerjoin(shown, true()))
        .order_by(*_order(shown))
    )


def _texts(rows: Any, sources: Sequence[InboxSource]) -> list[Any]:
    """Return COLUMNS of the rows that are shown. `more` adds their detail."""
    names: dict[Callable[[Any], Any], list[str]] = {}
    for source in sources:
        if source.more is not None:
            names.setdefault(source.more, []).append(source.name)
    columns = {name: rows.c[name] for name in COLUMNS}
    if names:
        more = case(*((rows.c.source.in_(each), text(rows.c.id)) for text, each in names.items()))
        detail = func.nullif(rows.c.detail, "")
        columns["detail"] = func.concat_ws(", ", detail, more).label("detail")
    return list(columns.values())


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
    """Return when a snooze ends: at its own end, or at the deadline."""
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
def tally_statement(sources: tuple[InboxSource, ...]) -> CompiledSelect[Any] | None:
    """Return the statement of the counts. Its comment is for tests (tests/conftest.py)."""

    def build() -> Select[Any]:
        counts = _counts(_items(sources, counted=True))
        return counts.prefix_with("/* the shell: the inbox */")

    return _asked(build) if sources else None


@lru_cache(maxsize=256)
def item_statement(source: InboxSource) -> CompiledSelect[Any]:
    def build() -> Select[Any]:
        items = _items([source])
        at = case((items.c.is_snoozed, _returns_at(items)), else_=items.c.at)
        return select(*_texts(items, [source]), items.c.rank, at.label("at")).where(
            items.c.id == bindparam("item_id", type_=Uuid())
        )

    return _asked(build)


@lru_cache(maxsize=256)
def keys_statement(sources: tuple[InboxSource, ...]) -> CompiledSelect[Any] | None:
    def build() -> Select[Any]:
        items = _items(sources, counted=True)
        return select(items.c.source, items.c.id).where(~items.c.is_snoozed).limit(MAX_KEYS)

    return _asked(build) if sources else None


assert len(fields(InboxRow)) == len(COLUMNS)
