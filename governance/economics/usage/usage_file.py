"""Usage files of the operator: the events of many customers, as CSV, JSON Lines or Parquet.

DuckDB reads and checks them in a child process (usage_file_child.py); PostgreSQL stores them with
the statement that stores batches (file_storing.py). A file of ten million events needs no more
memory than one of a hundred.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog

from governance.economics.imports import permissions, table_reading
from governance.economics.imports.kinds import (
    GIGABYTE,
    GivenFile,
    ImportKind,
    Preview,
    Rejection,
    Total,
)
from governance.economics.imports.models import FileImport
from governance.economics.usage import actions, file_storing
from governance.economics.usage.event_stores import store
from governance.economics.usage.usage_file_checks import COLUMNS
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import living_tenants, operator_time_zone
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.files import sandbox
from governance.kernel.files.sandbox import Limits
from governance.kernel.months import Month

log = structlog.get_logger("usage")
CHILD = "governance.economics.usage.usage_file_child"
MAX_ROWS = 20_000_000
LIMITS = Limits(
    memory=4 * 1024 * sandbox.MIB,
    seconds=20 * 60,
    output=64 * sandbox.MIB,
    file_size=8 * 1024 * sandbox.MIB,
)
TEMPLATE = ",".join(COLUMNS) + (
    "\nacme,req-81f2,2026-11-25T09:14:03.250Z,claims-triage,claude-sonnet-4-5,success,summaries,"
    "anthropic,req-81f2,task-114,u-17,1546,9000,0,1037,0\n"
)


def read(given: GivenFile) -> Preview:
    """Check every row and return a preview. Raises Invalid for a file that can't be read."""
    with transaction(read_only=True):
        orders = _orders("check", given, _customers())
    answer = _child(given, orders)
    rejected = [_rejection(each) for each in answer["rejected"]]
    again = answer["again"]
    return Preview(
        rows_read=answer["rows"],
        rows_accepted=answer["accepted"],
        rows_rejected=answer["rows"] - answer["accepted"],
        rejected=rejected,
        totals=[
            Total(month, slug, rows, {"tokens": Decimal(tokens)})
            for month, slug, rows, tokens in answer["totals"]
        ],
        notes=[("Repeated rows", f"{again:,}, each counted once")] if again else [],
    )


def _rejection(found: Sequence[Any]) -> Rejection:
    line, field, reason, value = found
    return Rejection(line, field, f"“{value}”: {reason}" if value else reason)


def apply(row: FileImport, given: GivenFile) -> None:
    """Store the events whose ids are new.

    Raises DomainError if an id is taken by an event with other content, or if a customer or system
    of the file was removed since the preview.
    """
    tenants = _customers()
    with transaction():
        store().ensure_months(_months(row))
    orders = _orders("write", given, tenants)
    _child(given, orders)
    events = store()
    events.prepare_file()
    done, total = 0, 0
    written = _written(given.folder / "events", tenants)
    size = sum(path.stat().st_size for _, path in written)
    for tenant, path in written:
        for part in file_storing.parts(path):
            given.progress(done, size, f"{total:,} events stored")
            stored = events.write_part(tenant, part, orders["zone"])
            if stored.different is not None:
                raise DomainError(_taken(stored.different, tenant))
            done, total = done + len(part), total + stored.new
        path.unlink()
    events.finish_file()
    row.notes = [*row.notes, ["New events", f"{total:,}"]]


def _taken(number: int, tenant: Tenant) -> str:
    return (
        f"Row {number:,} has the id of an event of {tenant.name} that was sent with different"
        " content. Nothing was stored."
    )


def _written(folder: Path, tenants: Sequence[Tenant]) -> list[tuple[Tenant, Path]]:
    """Return the files that the child process wrote, ordered by tenant id.

    The order makes two concurrent imports lock tenants in the same order.
    """
    found = [(tenants[int(path.name)], path) for path in folder.iterdir()]
    return sorted(found, key=lambda each: each[0].id)


def _months(row: FileImport) -> set[Month]:
    """Return the months of UTC that may have events: the preview's months and their neighbors."""
    months = {Month.parse(each["month"]) for each in row.totals}
    return {month.plus(n) for month in months for n in (-1, 0, 1)}


# ---- child process


def _customers() -> list[Tenant]:
    return sorted(
        (each for each in living_tenants() if each.kind == "customer"), key=lambda each: each.id
    )


def _orders(do: str, given: GivenFile, tenants: Sequence[Tenant]) -> dict[str, Any]:
    now = clock.now()
    return {
        "do": do,
        "path": str(given.path),
        "format": given.format,
        "max_rows": MAX_ROWS,
        "zone": operator_time_zone(),
        "earliest": (now - actions.LATE).isoformat(),
        "latest": (now + actions.AHEAD).isoformat(),
        "tenants": [(each.slug, number) for number, each in enumerate(tenants)],
        "systems": file_storing.systems_of(tenants),
    }


def _child(given: GivenFile, orders: dict[str, Any]) -> dict[str, Any]:
    """Run the child process and return its answer. Raises Invalid for a file that can't be read."""
    outcome = sandbox.run(CHILD, limits=LIMITS, sent=json.dumps(orders, default=str).encode())
    if not outcome.is_finished:
        log.warning("usage file not read", ending=outcome.ending.value, errors=outcome.errors)
        raise table_reading.unreadable(given.name, outcome.ending)
    answer: dict[str, Any] = json.loads(outcome.answer)
    if "problem" in answer:
        log.info("usage file rejected", **answer)
        raise Invalid(f"{given.name}: {answer['problem']}", field="file")
    return answer


USAGE = ImportKind(
    name="usage",
    label="Usage",
    description="One row for each request to a model, of any customer.",
    permission=permissions.IMPORT,
    read_file=read,
    apply_file=apply,
    max_bytes=2 * GIGABYTE,
    template=TEMPLATE,
)
