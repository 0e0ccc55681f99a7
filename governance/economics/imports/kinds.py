"""Import kinds: a feature's declaration of a file that people can import.

A table of up to 200,000 rows declares its columns. Meridian reads them, and rejects each row whose
values don't fit. The feature checks and writes the remaining rows:

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
        check=check,      # rows → Checked; by default every row is accepted
        apply=apply,      # (file_import, rows) → None: writes them
    )
    imports.register(SUBSCRIPTIONS)      # in the feature's module, once

`check` runs in a read-only transaction and `apply` in a writing one, both with the operator's
person as actor. `apply` runs once per file, after `check` has run again on the same rows. An
exception rolls everything back; the message of a DomainError is shown to the person. `Row.values`
maps each column's name to a str, date, Month, datetime, int, Decimal or Customer, or to None for an
empty cell of an optional column.

A file with its own format, or with millions of rows, declares functions instead. They get the
decrypted file in a temporary folder (duckdb_files.py reads CSV, JSON Lines and Parquet within
limits):

    USAGE = ImportKind(…, max_bytes=2 * GIGABYTE, read_file=read, apply_file=apply, template="…")

`read_file(given)` returns a Preview or raises Invalid, with no transaction open.
`apply_file(file_import, given)` writes, in the same transaction that marks the import as applied.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

if TYPE_CHECKING:  # The child processes that read files import this module without a database.
    from governance.economics.imports.models import FileImport
    from governance.kernel.safety.access import Permission

MEGABYTE, GIGABYTE = 1024**2, 1024**3
MAX_ROWS = 200_000  # of a table with declared columns
MAX_COLUMNS = 200  # of a file's header
MAX_FILE_BYTES = 2 * GIGABYTE  # upper limit for every kind

type CellKind = Literal[
    "text",
    "date",  # date
    "month",  # kernel.months.Month
    "instant",  # datetime with a zone
    "whole number",  # int
    "amount",  # Decimal of up to 8 decimals
    "currency",  # ISO 4217 code
    "tenant",  # Customer, written as the tenant's slug
    "choice",
]
type Format = Literal["csv", "jsonl", "parquet", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `name` is its header and `aliases` are alternative headers. Headers are compared without case,
    and a space equals an underscore. `choices` are the values of a "choice" column. `negative`
    allows numbers below zero.
    """

    name: str
    kind: CellKind = "text"
    required: bool = True
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    max_length: int = 200
    negative: bool = False
    example: str = ""  # cell in the template; by default an example of its kind

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer that a row names, possibly a former one."""

    id: UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row with well-formed cells. `line` is the line of the file where it begins."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason why a row can't be imported. `field` is empty if it concerns the whole row."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Total:
    """The total of the rows of a month and tenant.

    `month` is "2026-10" or "", `tenant` a slug or "". `amounts` maps a unit to its sum: a currency,
    or a word such as "tokens".
    """

    month: str
    tenant: str
    rows: int
    amounts: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """The accepted and rejected rows of a file, with totals of the accepted ones."""

    accepted: Sequence[Row]
    rejected: Sequence[Rejection] = ()
    totals: Sequence[Total] = ()
    notes: Sequence[tuple[str, str]] = ()  # (label, text) pairs for the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The preview of a file: what applying it would do.

    `rejected` may list only the first of the `rows_rejected` rows. It becomes the downloadable CSV
    file unless `rejected_file` (line, field, reason) is set.
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

    Text is UTF-8 without a byte order mark or NUL, with line feeds as line ends. `folder` is for
    temporary files. `progress(done, total, step)` reports progress, and raises Cancelled if the
    person has cancelled the work.
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
    """A kind of file that can be imported; see the module's docstring.

    `name` is stored in the database, `label` is shown to people, and `permission` is required to
    import. `applied_page` is the endpoint of the page that shows the applied data.
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
    template: str = ""  # CSV text; by default generated from `columns`
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
    """Register import kinds. Registering the same kind again does nothing."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"the import kind {kind.name} is registered twice")


def named(name: str) -> ImportKind | None:
    """Return the kind, or None if no feature registers it (any more)."""
    return _kinds.get(name)


def all_kinds() -> Sequence[ImportKind]:
    """Return every kind, sorted by label."""
    return sorted(_kinds.values(), key=lambda kind: kind.label)


def totals(
    rows: Iterable[Row],
    *,
    month: str = "month",
    tenant: str = "customer",
    amount: str = "",
    currency: str = "currency",
) -> list[Total]:
    """Return totals of rows by month and tenant. The arguments are column names.

    `month` may be a column of months, dates or instants. With `amount`, amounts are added up by
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
