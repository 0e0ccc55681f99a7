"""List pages: one declaration per list, and what the address of a request asks for.

    CONTROLS = ListPage(name="controls", endpoint="controls.index", columns=(…), filters=(…))
    asked = CONTROLS.read(choices={"owner": …})      the request's address, checked against the
                                                     declaration
    asked.criteria, asked.sort, asked.after          for the query
    asked.address(…), asked.chips, asked.hidden(…)   for the page, with every other part kept

Rows in the database: the feature's query takes `asked.criteria`, `asked.sort` and `asked.after`
(see `pages.keyset`). Rows in memory: `keep`, `arrange` and `one_page`, pure functions over any
sequence.

The port `preference_of` returns how a person opens a list that they have changed: the columns that
they chose, and the saved view that a bare address of the list means.

A filter declares what happens for a value that is none of its choices (`unknown`): the list is
empty and the chip names the value, or the value is ignored, or the address is rejected with a
sentence. A column that can't be sorted by is always rejected, and a column that doesn't exist is
never shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from flask import current_app, request, url_for
from werkzeug.datastructures import MultiDict

from governance.kernel.errors import Invalid
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.rendering import Keyset
from governance.kernel.ports import Port
from governance.kernel.safety.access import Permission, allowed

MAX_VALUE_LENGTH = 200  # Characters of one filter.
NO_COLUMNS = "none"  # In the address: every column that can be hidden is.
# The values view=all (not the own default) and file=shown (columns as shown).
NO_VIEW, SHOWN = "all", "shown"
type Choices = Sequence[tuple[Any, str]]
type Args = MultiDict[str, str]

OWN_PARTS = ("q", "sort", "columns", "view")

declared: dict[str, "ListPage"] = {}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `optional`: the reader can hide it; `extra`: it is hidden until the reader shows it. `file` are
    the heads of its cells in exported files, where they aren't the label.
    """

    name: str
    label: str
    sort: bool = False
    optional: bool = False
    extra: bool = False
    numeric: bool = False
    silent: bool = False  # The label is for screen readers, and isn't shown.
    file: tuple[str, ...] = ()

    @property
    def can_hide(self) -> bool:
        return self.optional or self.extra

    @property
    def heads(self) -> tuple[str, ...]:
        return self.file or (() if self.silent else (self.label,))


@dataclass(frozen=True, slots=True)
class FileColumn[Row]:
    """A column of exported files: its head, and the cell of a row.

    `column` is the column of the page that it is exported with; without one it is only in files
    that have every column.
    """

    head: str
    cell: Callable[[Row], Cell]
    column: str = ""


@dataclass(frozen=True, slots=True)
class ListPreference:
    """A person's way to open a list: the columns as an address names them, and the default view."""

    columns: str = ""
    view: str = ""  # The view's name.
    query: str = ""


def _none(_name: str, _location: str) -> ListPreference:
    return ListPreference()


preference_of: Port[Callable[[str, str], ListPreference]] = Port(
    "how the acting person opens a list, by its name and its location", default=_none
)


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter.

    `choices` are (value, label) pairs or a function that reads them.

    `kind` is how the reader sets it: a menu, typed text, a day, or by a link only. `label_of`
    returns the label of a value that is no choice. `cleared` is the value that an address without
    the filter has, if leaving it out would restore a default. The chip of a `short` filter shows
    the value itself.
    """

    name: str
    label: str
    choices: Choices | Callable[[], Choices] = ()
    any: str = "any"
    kind: Literal["menu", "text", "day", "link"] = "menu"
    unknown: Literal["empty", "ignored", "rejected"] = "empty"
    label_of: Callable[[str], str | None] | None = None
    cleared: str = ""
    short: bool = False
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A file of the rows that match the filters.

    `values` are of the route, `query` is what the address has if it differs from the list's.
    """

    form: str
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListPage:
    """The declaration of one list.

    `place` names the route's own values (a framework's key), and `find_place` takes them and raises
    NotFound where there is no such place. `carried` are the parts of the address that are no
    filters and stay (a past day). `sort` is the column of the default order, with a dash for
    descending; `sorts` are orders without a column of their own. `bulk` is the endpoint of its bulk
    action.
    """

    name: str
    title: str
    noun: str
    endpoint: str
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...] = ()
    search: str = ""
    sort: str = ""
    sorts: tuple[str, ...] = ()
    size: int = 50
    place: tuple[str, ...] = ()
    find_place: Callable[..., object] | None = None
    carried: tuple[str, ...] = ()
    exports: tuple[Export, ...] = ()
    # For columns that don't declare themselves what is exported.
    file: Sequence[FileColumn[Any]] = ()
    bulk: str = ""
    many: str = ""  # The plural of the noun, if it isn't formed with an s.

    def __post_init__(self) -> None:
        parts = [*OWN_PARTS, "after", "file", *self.carried, *(f.name for f in self.filters)]
        if self.name in declared:
            raise ValueError(f"the list {self.name} is declared twice")
        if len(set(parts)) != len(parts):
            raise ValueError(f"the list {self.name} names a part of its address twice: {parts}")
        if self.sort and self.sort.removeprefix("-") not in self.orders:
            raise ValueError(f"the list {self.name} can't be sorted by {self.sort}")
        if bool(self.place) != bool(self.find_place):
            raise ValueError(
                f"the list {self.name} needs both a place and a way to find it, or neither"
            )
        declared[self.name] = self

    @property
    def orders(self) -> set[str]:
        """The orders by which the list can be sorted."""
        return {*self.sorts, *(c.name for c in self.columns if c.sort)}

    def heads(self, column: Column) -> tuple[str, ...]:
        """Return the heads of a column in exported files."""
        if self.file:
            return tuple(each.head for each in self.file if each.column == column.name)
        return column.heads

    @property
    def nouns(self) -> str:
        return self.many or f"{self.noun}s"

    @property
    def needs(self) -> Permission:
        """The permission of its page."""
        needs: Permission = vars(current_app.view_functions[self.endpoint])["needs"]
        return needs

    def read(
        self,
        *,
        place: Mapping[str, Any] | None = None,
        choices: Mapping[str, Choices] | None = None,
        defaults: Mapping[str, str] | None = None,
    ) -> "ListRequest":
        """Return what the request's address asks for.

        `choices` are by filter, if the caller has them at hand. On the page of the list, the
        reader's preferences fill what the address leaves open. Raises Invalid for an invalid sort
        or filter.
        """
        known = dict(choices or {})

        def parse(args: Args) -> ListRequest:
            return self.parse(args, place=place, choices=known, defaults=defaults)

        if request.endpoint != self.endpoint:
            return parse(request.args)
        preferred = preference_of()(self.name, self.location(place or {}))
        args: Args = request.args
        opened, trouble = "", tuple[str, ...]()
        if preferred.query and not self.own_parts & args.keys():
            trouble = self.troubles(preferred.query, known)
            if not trouble:
                args = MultiDict([*args.items(multi=True), *parse_qsl(preferred.query)])
                opened = preferred.view
        if preferred.columns and "columns" not in args:
            args = MultiDict([*args.items(multi=True), ("columns", preferred.columns)])
        return replace(
            parse(args),
            preferred=preferred,
            opened=opened,
            trouble=trouble,
        )

    def location(self, place: Mapping[str, Any]) -> str:
        """Return the list among all lists: its name, and the values of its route."""
        return "/".join([self.name, *(str(place[name]) for name in self.place)])

    @property
    def own_parts(self) -> set[str]:
        """The parts of an address that say what is shown."""
        return {*OWN_PARTS, "after", *(f.name for f in self.filters)}

    def troubles(self, query: str, known: dict[str, Choices]) -> tuple[str, ...]:
        """Return the parts of a saved query that the list no longer has, as sentences.

        `known` caches choices.
        """
        said, filters = list[str](), {f.name: f for f in self.filters}
        for name, value in parse_qsl(query):
            if name in filters:
                said += _trouble(filters[name], value, known)
            elif name == "sort" and value.removeprefix("-") not in self.orders:
                said.append("It sorts by a column that no longer exists.")
            elif name == "columns":
                columns = {NO_COLUMNS, *(c.name for c in self.columns)}
                said += [
                    f"Its column “{each}” no longer exists."
                    for each in value.split(",")
                    if each not in columns
                ]
            elif name not in OWN_PARTS:
                said.append(f"Its filter “{name}” no longer exists.")
        return tuple(said)

    def parse(
        self,
        args: Args,
        *,
        place: Mapping[str, Any] | None = None,
        choices: Mapping[str, Choices] | None = None,
        defaults: Mapping[str, str] | None = None,
    ) -> "ListRequest":
        known = dict(choices or {})
        filters = {
            f.name: value
            for f in self.filters
            if (value := _read(f, args, known) or (defaults or {}).get(f.name, ""))
        }
        sort = _text(args, "sort")
        if sort and sort.removeprefix("-") not in self.orders:
            raise Invalid(
                "This list can't be sorted by that. Choose a column heading.", field="sort"
            )
        return ListRequest(
            page=self,
            place=dict(place or {}),
            filters=filters,
            q=_text(args, "q") if self.search else "",
            sort=sort or self.sort,
            after=args.get("after") or None,
            columns=self.shown(args),
            choices=known,
            carried={name: value for name in self.carried if (value := _text(args, name))},
            file_as_shown=_text(args, "file") == SHOWN,
        )

    def shown(self, args: Args) -> tuple[Column, ...]:
        """Return the columns that the address chooses.

        If it chooses none that exists, they are those of the declaration.
        """
        wanted = {name for value in args.getlist("columns") for name in value[:1000].split(",")}
        if not wanted & {NO_COLUMNS, *(c.name for c in self.columns if c.can_hide)}:
            return self.usual
        return tuple(c for c in self.columns if c.name in wanted or not c.can_hide)

    @property
    def usual(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if not c.extra)


def _text(args: Args, name: str) -> str:
    return args.get(name, "").replace("\0", "").strip()[:MAX_VALUE_LENGTH]


def _read(filter_: Filter, args: Args, known: dict[str, Choices]) -> str:
    value = _text(args, filter_.name)
    is_open = (
        filter_.name not in known and not filter_.choices
    )  # The code that has its choices checks it.
    if (
        not value
        or is_open
        or filter_.unknown == "empty"
        or filter_.kind != "menu"
        or value == filter_.cleared
        or value in _values(filter_, known)
    ):
        return value
    if filter_.unknown == "ignored":
        return ""
    listed = ", ".join(label for _, label in known[filter_.name])
    raise Invalid(
        f"{filter_.label} can be {listed}. Choose one of them, or remove the filter.",
        field=filter_.name,
    )


def _trouble(filter_: Filter, value: str, known: dict[str, Choices]) -> list[str]:
    """Return why a saved value of a filter is none any more."""
    if filter_.kind != "menu" or value == filter_.cleared or filter_.label_of is not None:
        return []
    is_open = filter_.name not in known and not filter_.choices
    if is_open or value in _values(filter_, known):
        return []
    return [f"Its filter “{filter_.label}” no longer has the value “{value}”."]


def _values(filter_: Filter, known: dict[str, Choices]) -> set[str]:
    return {str(value) for value, _ in _choices(filter_, known)}


def _choices(filter_: Filter, known: dict[str, Choices]) -> Choices:
    if filter_.name not in known:
        known[filter_.name] = filter_.choices() if callable(filter_.choices) else filter_.choices
    return known[filter_.name]


@dataclass(frozen=True)  # Without slots, for cached properties.
class ListRequest:
    """The request of an address to a list, and the addresses of other requests."""

    page: ListPage
    place: Mapping[str, Any]
    filters: Mapping[str, str]
    q: str
    sort: str
    after: str | None
    columns: tuple[Column, ...]
    choices: dict[str, Choices]
    carried: Mapping[str, str]
    file_as_shown: bool = False  # An export has the columns that are shown.
    preferred: ListPreference = ListPreference()
    opened: str = ""  # The name of the default view, if it is what is shown.
    trouble: tuple[str, ...] = ()  # The reasons why the default view isn't what is shown.

    # ---- for the query

    @property
    def column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def is_filtered(self) -> bool:
        return bool(self.filters or self.q)

    @property
    def criteria(self) -> dict[str, str]:
        """The filters, and the search as one of them."""
        return {**self.filters, "q": self.q} if self.q else dict(self.filters)

    def value(self, name: str) -> str:
        return self.filters.get(name, "")

    # ---- for the page

    @cached_property
    def shown(self) -> frozenset[str]:
        """The names of the columns that are shown."""
        return frozenset(column.name for column in self.columns)

    def shows(self, name: str) -> bool:
        return name in self.shown

    @property
    def words(self) -> str:
        """The columns of the address; empty for the usual ones, unless the reader chose others."""
        if self.columns == self.page.usual and not self.preferred.columns:
            return ""
        return self.named_columns

    @property
    def named_columns(self) -> str:
        return ",".join(c.name for c in self.columns if c.can_hide) or NO_COLUMNS

    @property
    def query(self) -> dict[str, Any]:
        """Filters, search, sort and columns as an address names them: what a saved view keeps."""
        sort = self.sort if self.sort != self.page.sort else ""
        parts = {"q": self.q, **self.filters, "sort": sort, "columns": self.words}
        return {name: value for name, value in parts.items() if value}

    def address(self, endpoint: str = "", /, **changes: str | None) -> str:
        """Return the address of the list with these changes.

        It may be another page that takes the same filters. It is the first page unless `after` is
        given.
        """
        parts = {**self.carried, **self.query, **changes}
        usual = {"sort": self.page.sort}
        kept = {name: value for name, value in parts.items() if value and value != usual.get(name)}
        base = url_for(endpoint or self.page.endpoint, **self.place)
        if self.preferred.query and not endpoint and not self.page.own_parts & kept.keys():
            kept["view"] = NO_VIEW
        return f"{base}?{urlencode(kept)}" if kept else base

    def without(self, name: str, endpoint: str = "") -> str:
        filter_ = next((f for f in self.page.filters if f.name == name), None)
        return self.address(endpoint, **{name: filter_.cleared if filter_ else None})

    @property
    def no_filters(self) -> dict[str, str | None]:
        return {f.name: f.cleared or None for f in self.page.filters}

    @property
    def clear(self) -> str:
        """The list with no filter; what isn't one stays."""
        return self.address(q=None, **self.no_filters)

    @property
    def chips(self) -> list[dict[str, str]]:
        return self.chips_of()

    def chips_of(self, endpoint: str = "") -> list[dict[str, str]]:
        """Return the applied filters, each with the address without it.

        The address is that of the list, or of another page that takes the filters.
        """
        words = [("q", "Search", self.q)] if self.q else []
        said = [
            (f.name, f.label, self._label(f))
            for f in self.page.filters
            if self.value(f.name) not in {"", f.cleared}
        ]
        return [
            {"label": label, "value": value, "href": self.without(name, endpoint)}
            for name, label, value in [*words, *said]
        ]

    def _label(self, filter_: Filter) -> str:
        value = self.filters[filter_.name]
        if filter_.short:
            return value
        label = next(
            (label for known, label in _choices(filter_, self.choices) if str(known) == value), None
        )
        return label or (filter_.label_of(value) if filter_.label_of else None) or value

    @property
    def menus(self) -> list[tuple[Filter, Choices, str]]:
        """(filter, its choices, its value) of each filter that the reader sets on the page."""
        return [
            (f, _choices(f, self.choices), self.value(f.name))
            for f in self.page.filters
            if f.kind != "link"
        ]

    @property
    def filter_names(self) -> list[str]:
        return [f.name for f in self.page.filters if f.kind != "link"]

    def hidden(self, *without: str) -> dict[str, str]:
        """Return what a form of this list also sends, except for the fields that it has itself."""
        return {
            name: value
            for name, value in {**self.carried, **self.query}.items()
            if name not in without
        }

    def sorted_by(self, column: Column) -> str | None:
        if column.name != self.column:
            return None
        return "descending" if self.is_descending else "ascending"

    def sort_address(self, column: Column) -> str | None:
        """Return the address that sorts by this column, or reverses its direction."""
        if not column.sort:
            return None
        return self.address(sort=f"-{column.name}" if self.sort == column.name else column.name)

    @property
    def exports(self) -> list[tuple[str, str]]:
        """(file ending, address) of each export of what is filtered, with every column."""
        return self._exports()

    @property
    def exports_as_shown(self) -> list[tuple[str, str]]:
        """The same with the columns that are shown; none for a list that shows all columns."""
        if not any(c.can_hide for c in self.page.columns):
            return []
        return self._exports(columns=self.named_columns, file=SHOWN)

    def _exports(self, **more: str) -> list[tuple[str, str]]:
        parts = {
            name: value
            for name, value in {**self.carried, **self.query}.items()
            if name != "columns"
        }
        return [
            (each.form, self._export(each, {**each.query, **parts, **more}))
            for each in self.page.exports
        ]

    def file_cells(self, head: Sequence[str]) -> list[int]:
        """Return the positions of the cells that an exported file has, out of all possible ones."""
        if not self.file_as_shown:
            return list(range(len(head)))
        shown = {name for column in self.columns for name in self.page.heads(column)}
        return [n for n, name in enumerate(head) if name in shown]

    def _export(self, each: Export, parts: Mapping[str, str]) -> str:
        base = url_for(each.endpoint, **self.place, **each.values)
        return f"{base}?{urlencode(parts)}" if parts else base

    @property
    def may_select(self) -> bool:
        """True if the reader may run the list's bulk action."""
        return bool(self.page.bulk) and allowed(
            vars(current_app.view_functions[self.page.bulk])["needs"]
        )

    @property
    def location(self) -> str:
        """The list among all lists: its name, and the values of its route."""
        return self.page.location(self.place)


# ---- rows in memory


def keep[Row](
    rows: Iterable[Row],
    asked: ListRequest,
    tests: Mapping[str, Callable[[Row, str], bool]],
    text: Callable[[Row], str],
) -> list[Row]:
    """Return the rows whose text has every word of the search, and that pass every filter."""
    words = asked.q.casefold().split()
    applied = [(tests[name], value) for name, value in asked.filters.items()]
    return [
        row
        for row in rows
        if all(test(row, value) for test, value in applied)
        and (not words or _has_words(text(row), words))
    ]


def _has_words(text: str, words: Sequence[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)


def arrange[Row](
    rows: Iterable[Row], asked: ListRequest, keys: Mapping[str, Callable[[Row], Any]]
) -> list[Row]:
    return sorted(rows, key=keys[asked.column], reverse=asked.is_descending)


def one_page[Row](rows: Sequence[Row], asked: ListRequest, name: Callable[[Row], str]) -> Keyset:
    """Return the page after the row named `asked.after`; start at the first if it is gone."""
    size = asked.page.size
    start = (
        next((n + 1 for n, row in enumerate(rows) if name(row) == asked.after), 0)
        if asked.after
        else 0
    )
    shown = rows[start : start + size]
    return Keyset(shown, name(shown[-1]) if start + size < len(rows) else None, size)
