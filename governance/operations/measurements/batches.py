"""Read the batch of rows that a machine sends: each row's content, or its error.

    {"rows": [{"indicator": "claims-triage-availability", "at": "2026-11-25T09:14:00Z",
               "good": 12, "total": 12}],
     "backfill": {"reason": "The exporter was down"}}         only for rows older than 48 hours

A row of a threshold may have a cumulative histogram instead of good and total:
"buckets": {"0.5": 10, "1.0": 14, "+Inf": 15}. As NDJSON each line is a row, and the first may be
the backfill. Pure: no database, no clock.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from governance.kernel.errors import Invalid
from governance.kernel.web.batch_requests import BatchSize, UnreadableBatch
from governance.operations.measurements.rollups import minute_number
from governance.operations.measurements.storing import MAX_COUNT

MOST = BatchSize(rows=10_000, size=8 * 1024 * 1024)
MAX_REASON_LENGTH = 2000
JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/jsonl")
FIELDS = {"indicator", "at", "good", "total", "buckets"}
INFINITY = Decimal("Infinity")


class RejectedRow(Exception):
    """The reason why one row can't be stored."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as they were sent, and the reason of a backfill."""

    rows: Sequence[Any]
    backfill_reason: str | None


# ---- the body


def parse(body: bytes, media_type: str) -> Batch:
    """Return the batch. Raises UnreadableBatch, Invalid, or TooLarge for too many rows."""
    if media_type == JSON:
        batch = _from_json(body)
    elif media_type in NDJSON:
        batch = _from_lines(body)
    else:
        raise Invalid("Send application/json, or application/x-ndjson with a row on each line.")
    if len(batch.rows) > MOST.rows:
        raise MOST.too_large()
    if not batch.rows:
        raise Invalid("rows: send at least one row.", field="rows")
    return batch


def _from_json(body: bytes) -> Batch:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableBatch("The body isn't valid JSON. Nothing was saved.") from None
    if not isinstance(sent, dict) or not isinstance(sent.get("rows"), list):
        raise Invalid('Send one JSON object with "rows", a list.', field="rows")
    if unknown := sent.keys() - {"rows", "backfill"}:
        name = _shown(min(unknown))
        raise Invalid(f"{name} is not a field. The fields are rows and backfill.", field=name)
    return Batch(sent["rows"], _reason(sent))


def _from_lines(body: bytes) -> Batch:
    rows = [_line(line) for line in body.splitlines() if line.strip()]
    head = rows[0] if rows and isinstance(rows[0], dict) and rows[0].keys() == {"backfill"} else {}
    return Batch(rows[1:] if head else rows, _reason(head))


def _line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None  # None is rejected as a row that isn't an object.


def _reason(sent: Mapping[str, Any]) -> str | None:
    if "backfill" not in sent:
        return None
    backfill = sent["backfill"]
    reason = backfill.get("reason") if isinstance(backfill, dict) else None
    if not isinstance(reason, str) or not reason.strip() or set(backfill) != {"reason"}:
        raise Invalid('backfill: send {"reason": "why these minutes are late"}.', field="backfill")
    if len(reason) > MAX_REASON_LENGTH or not reason.isprintable():
        raise Invalid(
            f"backfill: the reason is one line of at most {MAX_REASON_LENGTH:,} characters.",
            field="backfill",
        )
    return reason.strip()


# ---- a row


class Row(NamedTuple):
    """The content of a row. `good` and `total` are None if it has buckets."""

    indicator: str
    at: str
    good: int | None
    total: int | None
    buckets: Mapping[str, Any] | None


def read(row: Any) -> Row:
    """Return the row with its fields checked by type. Raises RejectedRow."""
    if not isinstance(row, dict):
        raise RejectedRow("row", "A row is a JSON object with indicator, at, good and total.")
    if unknown := row.keys() - FIELDS:
        name = _shown(min(unknown))
        raise RejectedRow(name, f"{name} is not a field of a row.")
    for name in ("indicator", "at"):
        if not isinstance(row.get(name), str):
            raise RejectedRow(name, f"Send {name} as text.")
    if "buckets" not in row:
        return Row(row["indicator"], row["at"], *good_and_total(row), None)
    if row.keys() & {"good", "total"}:
        raise RejectedRow("buckets", "Send either buckets, or good and total.")
    if not isinstance(row["buckets"], dict):
        raise RejectedRow("buckets", 'Send an object such as {"0.5": 10, "+Inf": 15}.')
    return Row(row["indicator"], row["at"], None, None, row["buckets"])


def good_and_total(row: Mapping[str, Any]) -> tuple[int, int]:
    """Return the two counts of a row. Raises RejectedRow."""
    good, total = whole(row, "good"), whole(row, "total")
    if good > total:
        raise RejectedRow("good", f"good is {good}, more than the total of {total}.")
    return good, total


def whole(values: Mapping[str, Any], name: str, field: str | None = None) -> int:
    """Return a count: an integer from 0; True isn't one. Raises RejectedRow."""
    value = values.get(name)
    if type(value) is not int:
        raise RejectedRow(field or name, f"{_shown(name)} must be a whole number.")
    if value < 0:
        raise RejectedRow(field or name, f"{_shown(name)} is negative.")
    if value > MAX_COUNT:
        raise RejectedRow(field or name, f"{_shown(name)} is more than {MAX_COUNT:,}.")
    return value


def minute_of(text: str) -> int:
    """Return the number of the minute `at`. Raises RejectedRow."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RejectedRow("at", "Send an instant such as 2026-11-25T09:14:00Z.") from None
    if at.tzinfo is None:
        raise RejectedRow("at", "The instant has no time zone. Add Z for UTC.")
    try:
        return minute_number(at)
    except ValueError:
        raise RejectedRow(
            "at", "The instant isn't a whole minute: send its seconds as 00."
        ) from None


def from_buckets(buckets: Mapping[str, Any], bound: Decimal, *, is_floor: bool) -> tuple[int, int]:
    """Return good and total of a cumulative histogram with counts up to each bound.

    With `is_floor` events above the bound are good. Raises RejectedRow.
    """
    counts: dict[Decimal, int] = {}
    for name in buckets:
        edge = _edge(name)
        if edge in counts:
            raise RejectedRow("buckets", f"Two buckets have the bound {_shown(name)}.")
        counts[edge] = whole(buckets, name, "buckets")
    for edge in (INFINITY, bound):
        if edge not in counts:
            name = "+Inf" if edge == INFINITY else f"{bound.normalize():f}"
            raise RejectedRow("buckets", f"There is no bucket {name}.")
    ordered = [counts[edge] for edge in sorted(counts)]
    if ordered != sorted(ordered):
        raise RejectedRow("buckets", "The counts fall. Each bucket includes the smaller ones.")
    total = counts[INFINITY]
    return total - counts[bound] if is_floor else counts[bound], total


def _edge(name: str) -> Decimal:
    try:
        edge = Decimal(name)
    except InvalidOperation:
        edge = Decimal("NaN")
    if edge.is_nan() or edge == -INFINITY:
        raise RejectedRow("buckets", f"{_shown(name)} is not a bound such as 0.5 or +Inf.")
    return edge


def _shown(name: str) -> str:
    """Return a name for an error message: short, and without characters that can't be stored."""
    return "".join(
        c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "?" for c in name[:40]
    )
