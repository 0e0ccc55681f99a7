"""Kinds of files: what a feature declares so that people can import its file.

A table of up to 200,000 rows declares its columns. Meridian reads them, and rejects each row whose
values don't fit; the feature checks what is left and writes it:

    SUBSCRIPTIONS = ImportKind(
        name="subscriptions",
        label="Subscriptions",
        description="One line for each customer and month.",
        permission=permissions.IMPORT,
        columns=(
            Column("customer", "tenant"),
            Column("month", "month"),
            Column("mrr", "amount", aliases=("amount",)),
            Column("currency", "currency"),
            Column("note", "text", required=False),
        ),
        check=check,      # rows → Checked; without one, every row is accepted
        apply=apply,      # (file_import, rows) → None: writes them
    )
    imports.register(SUBSCRIPTIONS)      # in the feature's module, once

`check` runs in a read-only transaction and `apply` in one that writes, both as the operator's
person. `apply` runs once for a file, after `check` has run again on the same rows; what it raises
undoes everything, and a DomainError is shown to the person. `Row.values` has a value for each
column by its name: str, date, Month, datetime, int, Decimal or Customer, and None for an empty cell
of a column that isn't required.

A file with a format of its own, or with millions of rows, declares functions instead. They get the
file decrypted, in a folder of its own that is removed afterwards (duckdb_files.py reads CSV, JSON
Lines and Parquet within limits):

    USAGE = ImportKind(…, max_bytes=2 * GIGABYTE, read_file=read, apply_file=apply, template="…")

`read_file(given)` returns a Preview or raises Invalid, with no transaction open;
`apply_file(file_import, given)` writes, in the one transaction that also marks the import as
applied.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

if TYPE_CHECKING:  # the children that read files load this module, and need no database
    from governance.economics.imports.models import FileImport
    from governance.kernel.safety.access import Permission

MEGABYTE, GIGABYTE = 1024**2, 1024**3
MAX_ROWS = 200_000  # of a table with declared columns
MAX_COLUMNS = 200  # of a file's header
MAX_FILE_BYTES = 2 * GIGABYTE  # whatever a kind allows

type CellKind = Literal[
    "text",
    "date",  # date
    "month",  # kernel.months.Month
    "instant",  # datetime with a zone
    "whole number",  # int
    "amount",  # Decimal of up to 8 decimals
    "currency",  # ISO 4217
    "tenant",  # Customer, written as the tenant's slug
    "choice",
]
type Format = Literal["csv", "jsonl", "parquet", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `name` is its header; `aliases` are other headers that mean the same. Headers are compared
    without case, and a space is an underscore. `choices` are those of a "choice". A `negative`
    number may be below zero.
    """

    name: str
    kind: CellKind = "text"
    required: bool = True
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    max_length: int = 200
    negative: bool = False
    example: str = ""  # in the template; by default one of its kind

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer that a row names; it may have left already."""

    id: UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row whose cells are well formed; `line` is where it begins in the file."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row can't be imported; `field` is empty where it is about the row as a whole."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Total:
    """Rows of a month and tenant, and what they add up to.

    `month` is "2026-10" or "", `tenant` a slug or "". `amounts` are sums by unit: a currency, or a
    word such as "tokens".
    """

    month: str
    tenant: str
    rows: int
    amounts: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows that can be imported, the others, and what the accepted ones add up to."""

    accepted: Sequence[Row]
    rejected: Sequence[Rejection] = ()
    totals: Sequence[Total] = ()
    notes: Sequence[tuple[str, str]] = ()  # label and text, for the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a file would do.

    `rejected` are of the first of `rows_rejected` rows; they become the CSV file that people download,
    unless a `rejected_file` (line, field, reason) is there already.
    """

    rows_read: int
    rows_accepted: int
    rows_rejected: int = 0
    rejected: Sequence[Rejection] = ()
    rejected_file: Path | None = None
    totals: Sequence[Total] = ()
    notes: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class GivenFile:
    """An uploaded file as a kind reads it.

    Text is UTF-8 without a byte order mark, its lines end with a line feed, and it has no NUL.
    `folder` is for temporary files. `progress(done, total, step)` reports how far the work is, and
    raises Cancelled where the person has asked for that.
    """

    path: Path
    folder: Path
    name: str
    format: Format
    size: int
    progress: Callable[[int, int, str], None]


def accept_all(rows: Sequence[Row]) -> Checked:
    """Accept every row, without totals."""
    return Checked(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """One kind of file; see the module's docstring.

    `name` is what rows of the database hold, `label` what people choose, `permission` who may.
    `applied_page` is the endpoint of the page that shows what was applied.
    """

    name: str
    label: str
    description: str
    permission: "Permission"
    columns: tuple[Column, ...] = ()
    check: Callable[[Sequence[Row]], Checked] = accept_all
    apply: "Callable[[FileImport, Sequence[Row]], None] | None" = None
    read_file: Callable[[GivenFile], Preview] | None = None
    apply_file: "Callable[[FileImport, GivenFile], None] | None" = None
    formats: tuple[Format, ...] = ("csv", "jsonl", "parquet")
    max_bytes: int = 50 * MEGABYTE
    template: str = ""  # CSV; made from the columns where they are declared
    template_name: str = ""
    applied_page: str = ""

    def __post_init__(self) -> None:
        is_table = bool(self.columns and self.apply)
        if is_table == bool(self.read_file and self.apply_file):
            raise ValueError(f"{self.name}: declare columns and apply, or read_file and apply_file")
        if self.max_bytes > MAX_FILE_BYTES:
            raise ValueError(f"{self.name}: a file has {MAX_FILE_BYTES} bytes at most")
        names = [header.casefold() for column in self.columns for header in column.headers]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: two columns share a header")


_kinds: dict[str, ImportKind] = {}


def register(*kinds: ImportKind) -> None:
    """Make these kinds known; registering the same one again changes nothing."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"the import kind {kind.name} is registered twice")


def named(name: str) -> ImportKind | None:
    """The kind, or None when no feature has it (any more)."""
    return _kinds.get(name)


def all_kinds() -> Sequence[ImportKind]:
    """Every kind, in the order of its label."""
    return sorted(_kinds.values(), key=lambda kind: kind.label)


def totals(
    rows: Iterable[Row],
    *,
    month: str = "month",
    tenant: str = "customer",
    amount: str = "",
    currency: str = "currency",
) -> list[Total]:
    """Add up rows by month and tenant; the arguments name columns.

    `month` is a column of months, dates or instants. With `amount`, amounts are added up by
    currency.
    """
    found: dict[tuple[str, str], tuple[int, dict[str, Decimal]]] = {}
    for row in rows:
        key = (_month(row.values.get(month)), _slug(row.values.get(tenant)))
        count, sums = found.get(key, (0, {}))
        if amount and (value := row.values.get(amount)) is not None:
            unit = row.values.get(currency) or ""
            sums = sums | {unit: sums.get(unit, Decimal(0)) + value}
        found[key] = (count + 1, sums)
    return [Total(when, slug, count, sums) for (when, slug), (count, sums) in sorted(found.items())]


def _month(value: Any) -> str:
    if value is None:
        return ""
    number = getattr(value, "number", None) or value.month
    return f"{value.year:04}-{number:02}"


def _slug(value: Any) -> str:
    return value.slug if isinstance(value, Customer) else ""
