"""The acting person's recent completions and decisions, the newest first, in one statement."""

from functools import lru_cache
from typing import Any

from sqlalchemy import String, literal, select, union_all

from governance.kernel import current
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.work.inbox import InboxDone, InboxRow, InboxSource, parameters
from governance.publishing.inbox.queries import PAGE_SIZE, sources_of

type DoneItem = tuple[InboxRow, InboxDone]


def page(after: str | None = None) -> Keyset:
    """Return a page of (row, its kind). Empty for a role without sources."""
    kinds = _kinds(sources_of(current.actor().role))
    if not kinds:
        return Keyset((), None, PAGE_SIZE)
    found = _found(kinds).c
    order = (found.since, found.source, found.id)
    shown = keyset(
        select(*found),
        *order,
        after=after,
        size=PAGE_SIZE,
        descending=True,
        parameters=parameters(),
    )
    return Keyset([_item(kinds, row) for row in shown.rows], shown.next, shown.size)


@lru_cache(maxsize=64)
def _kinds(sources: tuple[InboxSource, ...]) -> tuple[InboxDone, ...]:
    return tuple(dict.fromkeys(each for source in sources for each in source.done))


@lru_cache(maxsize=64)
def _found(kinds: tuple[InboxDone, ...]) -> Any:
    parts = (
        kind.select().add_columns(literal(kind.name, String()).label("source")) for kind in kinds
    )
    return union_all(*parts).subquery("done")


def _item(kinds: tuple[InboxDone, ...], row: Any) -> DoneItem:
    item_id, parent, place, about, _who, detail, since, _due, name = row
    kind = next(each for each in kinds if each.name == name)
    return InboxRow(name, item_id, parent, place, about, None, detail, since, None), kind
