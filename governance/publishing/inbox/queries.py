"""The acting person's inbox, from the sources of their role, in one statement.

page(view, group, after, size)   a page of it, with the counts
item(key)                        one item, open or snoozed; NotFound when it needs someone else
following(edge, done)            the item after another one in the list
keys()                           the keys of open items
tally()                          the counts, which every page shows
next_due()                       when the next item would appear, for an empty inbox

Order: by group, then by due date (or start); snoozed items by their return. Counts are cached until
the tenant commits anything, an hour passes, or an item is due or returns from a snooze.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    union_all,
)

from governance.foundation.logbook.log_health import recall
from governance.foundation.people.aliases import FORMER_MEMBER
from governance.foundation.people.queries import names
from governance.kernel import clock, current
from governance.kernel.data.db import info, session
from governance.kernel.data.tenant_cache import BoundedCache
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.safety.access import allowed
from governance.kernel.work.inbox import (
    GROUPS,
    InboxRow,
    InboxSource,
    parameters,
)
from governance.publishing.inbox.sources import by_name, sources
from governance.publishing.inbox.statements import (
    COUNTED,
    EDGE,
    WHEN_IT_CHANGES,
    item_statement,
    keys_statement,
    page_statement,
    tally_statement,
)

PAGE_SIZE = 50
MAX_CACHED_COUNTS = 2000  # People of one tenant.
VIEWS = ("open", "snoozed", "done")
WHO = 5  # The column of an item's row.
TALLY_KEY = "tally of the inbox"  # Key of the counts that a transaction has read.


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A row with its source.

    `rank` (the group) and `at` (its due date or start) determine its place in the list. For a
    snoozed item, `at` is when it returns, and `rank` is 0 if that is soon, else 1.
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
        """The time when a snoozed item returns. None if it returns when it changes."""
        return self.at if self.row.is_snoozed and self.at < WHEN_IT_CHANGES else None

    @property
    def title(self) -> str:
        return self.source.title(self.row)

    @property
    def detail(self) -> str:
        return self.source.detail(self.row)


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """The counts of an inbox, by group in `groups`.

    `changes_at` is when a count next changes by itself.
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
    """One page of the inbox. `soon` has the snoozed items that return first."""

    items: Sequence[InboxItem]
    tally: InboxCounts
    next: str | None
    soon: Sequence[InboxItem] = ()


def sources_of(role: str) -> tuple[InboxSource, ...]:
    return tuple(source for source in sources() if role in source.needs.roles)


def page(
    *, view: str = "open", group: str = "", after: str | None = None, size: int = PAGE_SIZE
) -> InboxPage:
    """Return a page in one statement, or in none for a role without sources."""
    edge = _edge(after) if after else None
    statement = page_statement(sources_of(current.actor().role), view, group, edge is not None)
    if statement is None:
        return InboxPage((), InboxCounts(), None)
    rows = statement.rows(**parameters(), limit=size + 1, **(edge or {}))
    counted = _tally(rows[0])
    info()[TALLY_KEY] = counted
    every = _items([row[COUNTED:] for row in rows if row[COUNTED] is not None])
    found = [each for each in every if each.row.is_snoozed == (view == "snoozed")]
    soon = [each for each in every if each.row.is_snoozed] if view == "open" else []
    return InboxPage(
        found[:size], counted, cursor(found[size - 1]) if len(found) > size else None, soon
    )


def item(key: str) -> InboxItem:
    """Return one item, in one statement over its source."""
    name, _, text = key.partition(".")
    source, found = by_name().get(name), None
    if source is not None and allowed(source.needs) and (item_id := _uuid(text)):
        found = item_statement(source).rows(**parameters(), item_id=item_id)
    if not found:
        raise NotFound(
            "This no longer needs you: someone decided it, it has another owner, or your access"
            " changed."
        )
    return _items(found)[0]


def following(edge: str, done: str) -> InboxItem | None:
    """Return the open item after a cursor, or else the first one. Never returns the done one."""
    for after in (edge, None):
        found = next((each for each in page(after=after, size=2).items if each.key != done), None)
        if found is not None:
            return found
    return None


def keys() -> list[str]:
    statement = keys_statement(sources_of(current.actor().role))
    if statement is None:
        return []
    return [f"{source}.{item_id}" for source, item_id in statement.rows(**parameters())]


def tally() -> InboxCounts:
    """Return the counts in at most one statement, or in none if they are read or cached already."""
    known: InboxCounts | None = info().get(TALLY_KEY)
    if known is not None:
        return known
    who, now = current.actor(), clock.now()
    if who.person_id is None:
        return InboxCounts()
    cache = recall("inbox counts", lambda: BoundedCache(MAX_CACHED_COUNTS))
    found: InboxCounts = cache.get(
        (who.person_id, who.role, now.replace(minute=0, second=0, microsecond=0)), _read_tally
    )
    if found.changes_at is not None and found.changes_at <= now:
        found = _read_tally()
    info()[TALLY_KEY] = found
    return found


def _read_tally() -> InboxCounts:
    statement = tally_statement(sources_of(current.actor().role))
    if statement is None:
        return InboxCounts()
    (row,) = statement.rows(**parameters())
    return _tally(row)


def _tally(row: Any) -> InboxCounts:
    """Return the counts from the first columns of a row, in the order of `_counts`."""
    is_open, snoozed, late, due_today, changes_at, *groups = row[:COUNTED]
    return InboxCounts(is_open, snoozed, late, due_today, changes_at, tuple(groups))


def next_due() -> date | None:
    """Return the first day on which something of this person is due."""
    statements = [
        source.next_due()
        for source in sources_of(current.actor().role)
        if source.next_due is not None
    ]
    if not statements:
        return None
    days: list[date] = [
        day for day in session().scalars(union_all(*statements), parameters()) if day is not None
    ]
    return min(days, default=None)


def _items(rows: Sequence[Any]) -> list[InboxItem]:
    """Return the items of rows, with people named as this reader may see them."""
    ids = {row[WHO]: person for row in rows if row[WHO] and (person := _uuid(row[WHO]))}
    called, known = names(ids.values()), by_name()
    return [_item(row, ids, called, known) for row in rows]


def _item(
    row: Any,
    ids: Mapping[str, UUID],
    called: Mapping[UUID, str],
    known: Mapping[str, InboxSource],
) -> InboxItem:
    source, item_id, parent, place, about, who, detail, since, due, is_snoozed, rank, at = row
    shown = called.get(ids[who], FORMER_MEMBER) if who in ids else who
    found = InboxRow(source, item_id, parent, place, about, shown, detail, since, due, is_snoozed)
    return InboxItem(found, known[source], rank, at)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def cursor(item: InboxItem) -> str:
    """Return the place of an item in the list, for use in an address."""
    place = [item.rank, item.at.astimezone(UTC).isoformat(), item.row.source, str(item.row.id)]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


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
