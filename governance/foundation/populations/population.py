"""A population: every row that a query found, and the file that shows how it was found.

    CollectorPopulation    query, parameters, when and who ran it, the rows
    population_csv(…)      the file: facts first, then the table, whose SHA-256 is among the facts

The SHA-256 covers the table from its header line to the end of the file, so anyone can check it
with `tail` and `sha256sum`. People appear by pseudonym: names can't be erased from a stored
file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from governance.kernel.files.spreadsheet_writer import csv_bytes, csv_rows


@dataclass(frozen=True)
class CollectorPopulation:
    """A population. Each row has plain values (text, numbers, yes or no), one per column."""

    key: str
    title: str
    query: str
    parameters: Mapping[str, str]
    run_at: datetime
    run_by: str
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]

    @property
    def row_count(self) -> int:
        return len(self.rows)

    @cached_property
    def table(self) -> bytes:
        """Header line and rows as CSV (RFC 4180, UTF-8)."""
        return csv_rows(
            [self.columns, *([row[name] for name in self.columns] for row in self.rows)]
        )

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.table).hexdigest()


def plain_value(value: Any) -> Any:
    """Return the value as the file shows it: instants as ISO 8601 in UTC, ids as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def population_csv(
    population: CollectorPopulation,
    *,
    tenant: str,
    covers: str,
    says: str,
    facts: Sequence[tuple[str, str]],
) -> bytes:
    """Return the file of a run: two columns of facts, an empty line, the table."""
    above = [
        ("Tenant", tenant),
        ("Covers", covers),
        ("Result", says),
        *facts,
        ("Query", " ".join(population.query.split())),
        *((f"Parameter {name}", value) for name, value in population.parameters.items()),
        ("Run at", plain_value(population.run_at)),
        ("Time zone", "UTC"),
        ("Run by", population.run_by),
        ("Rows", population.row_count),
        ("SHA-256 of the table below", population.sha256),
    ]
    return csv_bytes(("Collector", population.title), above) + b"\r\n" + population.table
