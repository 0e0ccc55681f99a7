"""Parts that other features add to an AI system's pages.

They add them in their manifests (`extensions=(SYSTEM_PARTS(…),)`).

SystemTab          a page about the system, shown once it has content
SystemFigure       two lines about it, above everything else
SystemChart        its development over time
UsedBy             records that depend on it
SystemRecords      records about it, whose log entries are in its history
OutdatedRecords    records that a substantial change made outdated
Consequence        effects of retiring the system

summary_of(system)                     records, figures, users and tabs, in one statement for all
                                       features
tabs_of(system), outdated_of(system)   one statement each
charts_of(system), consequences_of(system)
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import Select, Text, cast, literal, select, union_all

from governance.kernel.data.db import session
from governance.kernel.extension_points import ExtensionPoint
from governance.kernel.safety.access import Permission, allowed
from governance.kernel.safety.visibility_scope import limits
from governance.operations.systems.models import AISystem

MAX_OUTDATED = 50  # Records listed on the page
MAX_CHARTS = 2  # Maximum on the page
MAX_USERS = 10  # Maximum of one kind on the page
MAX_RECORDS = 20  # Records of one kind whose entries are in the history


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTab:
    """A tab. The page at `endpoint` takes the system's slug as `argument`, and `values`.

    `content` selects one text for a system with content, shown next to the label unless it is "". A
    system without a row has no tab.
    """

    label: str
    endpoint: str
    argument: str
    permission: Permission
    order: int
    content: Callable[[UUID], Select[*tuple[Any, ...]]] | None = None  # None: every system has it
    values: tuple[tuple[str, str], ...] = ()
    counts_everything: bool = False  # As its page: auditors of only some criteria can't open it


@dataclass(frozen=True, slots=True)
class Figure:
    """Two lines about a system, such as "1 of 3 features stopped".

    `state` is a kind of c.state; `clause` goes into the page's title, such as "auto-approve is
    stopped".
    """

    value: str
    note: str = ""
    state: str = ""
    clause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFigure:
    """A figure. `select` selects one row of three values, or none without content.

    `words` gets them as texts, "" for null.
    """

    label: str
    order: int
    permission: Permission
    select: Callable[[UUID], Select[*tuple[Any, ...]]]
    words: Callable[[str, str, str], Figure]
    counts_everything: bool = False


@dataclass(frozen=True, slots=True)
class TrendChart:
    """A chart of a system's development.

    `title` is the conclusion; `head` and `rows` are the same data as a table.
    """

    title: str
    note: str
    picture: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemChart:
    """Charts. `draw` returns the most important one first, or nothing."""

    order: int
    permission: Permission
    draw: Callable[[AISystem], Sequence[TrendChart]]
    counts_everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBy:
    """Records that depend on the system. `select` selects (value of the address, words) as text."""

    order: int
    permission: Permission
    select: Callable[[UUID], Select[*tuple[Any, ...]]]
    endpoint: str
    argument: str = ""  # "": one page for all, with the value ""
    counts_everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRecords:
    """Records about the system. `select` selects their ids, newest first."""

    permission: Permission
    select: Callable[[UUID], Select[UUID]]
    counts_everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedRecords:
    """Records to renew. `select` selects (id as text, name, the outdated part).

    People with `confirming` may instead confirm that one is still valid, until the next substantial
    change. `confirm` gets its id and the reason: it removes the record's own mark, and raises
    DomainError if it can't be confirmed.
    """

    select: Callable[[UUID], Select[*tuple[Any, ...]]]
    verb: str
    endpoint: str
    argument: str
    permission: Permission
    confirming: Permission
    confirm: Callable[[UUID, str], None] | None = None
    counts_everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """An effect of retirement. `count` selects one number; `text` words it unless it is 0.

    Everyone who may retire the system sees it, so it only shows how many there are.
    """

    name: str
    order: int
    count: Callable[[UUID], Select[*tuple[Any, ...]]]
    text: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class ShownTab:
    """A tab of one system that the reader may open."""

    tab: SystemTab
    note: str

    def address(self, system: AISystem) -> dict[str, Any]:
        """Return the values that its page takes."""
        return {self.tab.argument: system.key, **dict(self.tab.values)}


@dataclass(frozen=True, slots=True)
class SystemUser:
    """One record that depends on the system."""

    kind: UsedBy
    value: str
    words: str

    @property
    def address(self) -> dict[str, str]:
        """Return the values that its page takes."""
        return {self.kind.argument: self.value} if self.kind.argument else {}


type SystemPart = (
    SystemTab | SystemFigure | SystemChart | UsedBy | SystemRecords | OutdatedRecords | Consequence
)
SYSTEM_PARTS: ExtensionPoint[SystemPart] = ExtensionPoint("system part")


@dataclass(frozen=True, slots=True)
class OutdatedRecord:
    """One record to renew."""

    kind: OutdatedRecords
    id: str
    name: str
    detail: str

    @property
    def may_be_confirmed(self) -> bool:
        return allowed(self.kind.confirming)


def _registered[T](kind: type[T]) -> list[T]:
    return [part for part in SYSTEM_PARTS.parts() if isinstance(part, kind)]


def _together(selects: Iterable[Select[*tuple[Any, ...]]]) -> list[Any]:
    """Return the rows of all of them as (which, …), in one statement."""
    numbered = [
        select(literal(which).label("which"), *query.subquery().columns)
        for which, query in enumerate(selects)
    ]
    return list(session().execute(union_all(*numbered))) if numbered else []


def _may_open(
    part: SystemTab | SystemFigure | SystemChart | UsedBy | SystemRecords | OutdatedRecords,
) -> bool:
    return allowed(part.permission) and not (part.counts_everything and limits() is not None)


@dataclass(frozen=True, slots=True)
class Summary:
    """Data of all features about a system that the reader may see.

    `records` has the newest ones about it, and `users` depend on it. All are sorted.
    """

    records: list[UUID]
    figures: list[tuple[str, Figure]]
    users: list[SystemUser]
    tabs: list[ShownTab]


def summary_of(system: AISystem) -> Summary:
    """Return the summary of a system. Runs one statement."""
    records, figures = _open(SystemRecords), _open(SystemFigure)
    users, tabs = _open(UsedBy), _open(SystemTab)
    found = _in_groups(
        [each.select(system.id).limit(MAX_RECORDS) for each in records],
        [each.select(system.id) for each in figures],
        [each.select(system.id).limit(MAX_USERS) for each in users],
        _contents(tabs, system),
    )
    return Summary(
        [UUID(row[1]) for row in found[0]],
        _figures(figures, found[1]),
        [SystemUser(users[row[0]], *row[1:3]) for row in sorted(found[2])],
        _tabs(tabs, found[3]),
    )


def _open[T: (SystemTab, SystemFigure, SystemChart, UsedBy, SystemRecords)](
    kind: type[T],
) -> list[T]:
    """Return the parts of the kind that the reader may open, in order."""
    found = [each for each in _registered(kind) if _may_open(each)]
    return sorted(found, key=lambda each: getattr(each, "order", 0))


def _in_groups(*groups: Sequence[Select[*tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each group's selects as (which, three texts), in one statement."""
    selects = [_three_texts(each) for group in groups for each in group]
    rows: list[list[tuple[Any, ...]]] = [[] for _group in groups]
    places = [(n, which) for n, group in enumerate(groups) for which in range(len(group))]
    for which, *values in _together(selects):
        group, place = places[which]
        rows[group].append((place, *values))
    return rows


def tabs_of(system: AISystem) -> list[ShownTab]:
    """Return the tabs with content that the reader may open, in order."""
    tabs = _open(SystemTab)
    return _tabs(tabs, _together(_contents(tabs, system)))


def _contents(tabs: Iterable[SystemTab], system: AISystem) -> list[Select[*tuple[Any, ...]]]:
    return [each.content(system.id) for each in tabs if each.content is not None]


def _tabs(tabs: Sequence[SystemTab], rows: Iterable[Sequence[Any]]) -> list[ShownTab]:
    asked = [each for each in tabs if each.content is not None]
    notes = {asked[row[0]].label: row[1] for row in rows}
    return [
        ShownTab(each, notes.get(each.label) or "")
        for each in tabs
        if each.content is None or each.label in notes
    ]


def _figures(
    kinds: Sequence[SystemFigure], found: Iterable[Sequence[Any]]
) -> list[tuple[str, Figure]]:
    rows = {row[0]: row[1:] for row in found}
    return [
        (each.label, each.words(*(value or "" for value in rows[n])))
        for n, each in enumerate(kinds)
        if n in rows
    ]


def charts_of(system: AISystem) -> list[TrendChart]:
    """Return the first chart of each feature, then further ones, MAX_CHARTS at most."""
    by_rank = zip_longest(*(each.draw(system) for each in _open(SystemChart)))
    return [each for each in chain.from_iterable(by_rank) if each is not None][:MAX_CHARTS]


def outdated_of(system: AISystem) -> list[OutdatedRecord]:
    """Return the records that a substantial change made outdated and the reader may open."""
    kinds = [each for each in _registered(OutdatedRecords) if _may_open(each)]
    rows = _together(_texts(each.select(system.id).limit(MAX_OUTDATED)) for each in kinds)
    return [
        OutdatedRecord(kinds[row[0]], *row[1:])
        for row in sorted(rows, key=lambda row: (row[0], row[2]))
        if row[1] not in system.still_valid
    ]


def _texts(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    found = query.subquery()
    texts: Select[*tuple[Any, ...]] = select(
        *(cast(column, Text).label(column.name) for column in found.columns)
    )
    return texts


def _three_texts(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return the columns of a query as texts, with NULL for missing ones."""
    found = list(query.subquery().columns)
    texts = [cast(each, Text) for each in found] + [cast(None, Text)] * (3 - len(found))
    named: Select[*tuple[Any, ...]] = select(
        *(each.label(f"text_{n}") for n, each in enumerate(texts))
    )
    return named


def consequences_of(system: AISystem) -> list[str]:
    """Return the effects of retiring the system, a sentence per feature with an effect."""
    kinds = sorted(_registered(Consequence), key=lambda each: (each.order, each.name))
    counts = {row[0]: row[1] for row in _together(each.count(system.id) for each in kinds)}
    return [each.text(counts[n]) for n, each in enumerate(kinds) if counts.get(n)]
