"""The list of collectors: its definition and its filters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from governance.assurance.collectors.queries import CollectorStatus
from governance.kernel.pages.list_pages import Column, Filter, ListPage, ListRequest, arrange, keep

COLLECTOR_LIST = ListPage(
    name="collectors",
    title="Collectors",
    noun="collector",
    endpoint="collectors.index",
    search="Search collectors",
    sort="order",
    sorts=("order",),
    columns=(
        Column("collector", "Collector", sort=True),
        Column("serves", "Supports", optional=True),
        Column("last", "Last run", optional=True),
        Column("rows", "Rows", optional=True, numeric=True),
        Column("found", "Result", optional=True),
        Column("next", "Next run", sort=True, optional=True),
        Column("state", "State"),
    ),
    filters=(Filter("state", "State", (("attention", "Needs attention"),), unknown="ignored"),),
)


def matching(board: Sequence[CollectorStatus], asked: ListRequest) -> list[CollectorStatus]:
    """Return the matching rows; `board` must be in the order of the catalog, which is `order`."""
    place = {line.collector.key: n for n, line in enumerate(board)}
    keys: Mapping[str, Callable[[CollectorStatus], Any]] = {
        "order": lambda line: place[line.collector.key],
        "collector": lambda line: line.collector.title.casefold(),
        "next": lambda line: (line.due, place[line.collector.key]),
    }
    tests: Mapping[str, Callable[[CollectorStatus, str], bool]] = {
        "state": lambda line, _: bool(line.needs_somebody)
    }
    return arrange(
        keep(board, asked, tests, lambda line: f"{line.collector.title} {line.collector.key}"),
        asked,
        keys,
    )
