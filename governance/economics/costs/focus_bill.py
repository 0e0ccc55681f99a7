"""Read a FOCUS Cost and Usage file: its version, its errors, and its lines added up."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from governance.economics.costs import focus_checks, focus_columns, focus_lines
from governance.economics.costs.focus_lines import PoolRule

if TYPE_CHECKING:
    import duckdb

MAX_REJECTIONS = 1_000  # rejections that are listed; all are counted


class RejectedField(msgspec.Struct, frozen=True):
    """An error in a row: the line in the file, the column and a sentence."""

    line: int
    field: str
    reason: str


class BillKey(msgspec.Struct, frozen=True, order=True):
    """The bill that a row belongs to. Period ends are exclusive; a bill without a number has ""."""

    provider: str
    period_start: date
    period_end: date
    invoice_id: str


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """Charges added up. Amounts are exact, in `currency`; `quantity` is in `unit`."""

    bill: BillKey
    day: date
    service: str
    model: str | None
    category: str
    is_correction: bool
    pool: str
    meter: str | None
    currency: str
    billed: Decimal
    effective: Decimal
    list: Decimal | None
    contracted: Decimal | None
    quantity: Decimal | None
    unit: str | None
    source_lines: int


class FocusFile(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a file. `lines` is empty if any row was rejected."""

    version: str
    rows: int
    rejected: Sequence[RejectedField]
    rejected_rows: int
    notes: Sequence[str]
    lines: Sequence[BillLine]

    @property
    def bills(self) -> dict[BillKey, list[BillLine]]:
        """The lines by bill."""
        found: dict[BillKey, list[BillLine]] = {}
        for line in self.lines:
            found.setdefault(line.bill, []).append(line)
        return found


class BillReading(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the child process: exactly one of the three fields is set.

    `broken` are lines that can't be split into cells.
    """

    file: FocusFile | None = None
    problem: str = ""
    broken: Sequence[RejectedField] = ()


class UnreadableBill(ValueError):
    """The file is not a FOCUS Cost and Usage file. The message names the missing columns."""


def read(
    connection: "duckdb.DuckDBPyConnection",
    source: str,
    names: Sequence[str],
    *,
    zone: str,
    rules: Sequence[PoolRule] = (),
) -> FocusFile:
    """Read the table `source` of text columns `names` and `line`.

    `zone` is the operator's time zone. Raises UnreadableBill if a needed column is missing.
    """
    if missing := focus_columns.missing_needed(names):
        raise UnreadableBill(
            f"This isn't a FOCUS Cost and Usage file: {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing."
        )
    version = focus_columns.version_of(names)
    wrong = focus_checks.rejections_sql(source, names)
    counts = f"SELECT count(*), (SELECT count(DISTINCT line) FROM ({wrong})) FROM {source}"  # noqa: S608 - quoted
    rows, rejected_rows = connection.execute(counts).fetchone() or (0, 0)
    found = connection.execute(wrong).fetchmany(MAX_REJECTIONS)
    rejected = [RejectedField(*each) for each in found]
    return FocusFile(
        version=version,
        rows=rows,
        rejected=rejected,
        rejected_rows=rejected_rows,
        notes=_notes(connection, source, names, version),
        lines=[] if rejected else _lines(connection, source, names, zone, rules),
    )


def _notes(
    connection: "duckdb.DuckDBPyConnection", source: str, names: Sequence[str], version: str
) -> list[str]:
    """Return a sentence for each departure from FOCUS that changes no figure."""
    notes = [
        f"{name}: FOCUS {version} requires this column, and the file lacks it."
        for name in focus_columns.missing_mandatory(names, version)
    ]
    notes += [f"{name}: not a FOCUS column, ignored." for name in focus_columns.stray(names)]
    statement = focus_checks.notes_sql(source, names)
    if statement is not None:
        for field, kind, rows in connection.execute(statement).fetchall():
            said = "has a value that FOCUS doesn't allow" if kind != "empty" else "is empty"
            notes.append(f"{field}: {said} in {rows:,} {'row' if rows == 1 else 'rows'}.")
    return notes


def _lines(
    connection: "duckdb.DuckDBPyConnection",
    source: str,
    names: Sequence[str],
    zone: str,
    rules: Sequence[PoolRule],
) -> list[BillLine]:
    statement, parameters = focus_lines.lines_sql(source, names, zone, rules)
    found = connection.execute(statement, parameters)
    columns = [each[0] for each in found.description or ()]
    return [_line(dict(zip(columns, row, strict=True))) for row in found.fetchall()]


def _line(row: dict[str, object]) -> BillLine:
    starts, ends = row.pop("billing_start"), row.pop("billing_end")
    bill = BillKey(str(row.pop("provider")), _day(starts), _day(ends), str(row.pop("invoice_id")))
    return msgspec.convert({"bill": bill, **row}, BillLine)


def _day(value: object) -> date:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is not an instant")
    return value.date()
