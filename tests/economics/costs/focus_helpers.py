"""FOCUS files for tests: rows with defaults, and the result of our reader."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from governance.economics.costs import focus_bill
from governance.economics.costs.focus_bill import FocusFile
from governance.economics.costs.focus_lines import PoolRule
from governance.economics.imports.models import FileImport
from tests.browser import Visitor
from tests.economics.imports import import_helpers

KIND = "focus"
SAMPLES = Path(__file__).parents[2] / "vendor" / "focus"
ROW = {
    "ServiceProviderName": "Helio Cloud",
    "HostProviderName": "Helio Cloud",
    "InvoiceIssuerName": "Helio Cloud",
    "InvoiceId": "HC-2026-10",
    "BillingAccountId": "7",
    "BillingAccountName": "Meridian",
    "BillingCurrency": "EUR",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-17T00:00:00Z",
    "ChargePeriodEnd": "2026-10-18T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "Tokens",
    "BilledCost": "50",
    "EffectiveCost": "50",
    "ListCost": "62.5",
    "ContractedCost": "50",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Inference",
    "PricingQuantity": "10",
    "PricingUnit": "1M Tokens",
    "x_Model": "helio-large",
    "SkuMeter": "Input tokens",
}


def row(**changed: Any) -> dict[str, str]:
    """Return a row of a bill. `...` omits a column, if every row of the file omits it."""
    return {name: value for name, value in (ROW | changed).items() if value is not ...}


def csv_of(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return the rows as a file. Its columns are those of the first row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read(
    rows: Sequence[Mapping[str, str]],
    *,
    zone: str = "Europe/Berlin",
    rules: Sequence[PoolRule] = (),
) -> FocusFile:
    """Return the result of our reader for these rows."""
    with duckdb.connect() as connection:
        names = list(rows[0])
        columns = ", ".join(f'"{name}" TEXT' for name in names)
        connection.execute(f"CREATE TABLE source (line BIGINT, {columns})")
        places = ", ".join("?" * (len(names) + 1))
        connection.executemany(
            f"INSERT INTO source VALUES ({places})",
            [[number, *each.values()] for number, each in enumerate(rows, 2)],
        )
        return focus_bill.read(connection, "source", names, zone=zone, rules=rules)


def sample(name: str) -> list[dict[str, str]]:
    """Return the rows of a published file."""
    text = (SAMPLES / name).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def import_rows(
    visitor: Visitor, rows: Sequence[Mapping[str, str]], name: str = "bill.csv"
) -> FileImport:
    """Upload rows and apply them. Return the import's row."""
    address = import_helpers.upload(visitor, csv_of(rows), name, KIND)
    import_helpers.apply(visitor, address)
    return import_helpers.row_of(address)


def said(file: FocusFile) -> list[tuple[int, str]]:
    """Return line and field of each error."""
    return [(each.line, each.field) for each in file.rejected]


def total(lines: Iterable[Any], name: str) -> Any:
    return sum(getattr(each, name) for each in lines)
