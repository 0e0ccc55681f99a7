"""The minutes of an indicator in a span from the address, as pages and as a file."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import Select, select

from governance.kernel import clock, current
from governance.kernel.errors import Invalid
from governance.kernel.files.spreadsheet_writer import csv_rows
from governance.kernel.intervals import Span, whole_minute
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.measurements import queries
from governance.operations.measurements.models import MINUTES
from governance.operations.measurements.rollups import minute_number

PAGE_SIZE = 60
DEFAULT_SPAN = timedelta(hours=24)
MAX_SPAN = timedelta(days=400)
HEAD = ("minute", "good", "total", "down")


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """A minute of the table."""

    at: datetime
    good: int
    total: int
    down: bool


def asked_span() -> Span:
    """Return the span that the address names by `from` and `to`, by default the last 24 hours."""
    end = _instant("to") or whole_minute(clock.now())
    start = _instant("from") or end - DEFAULT_SPAN
    if not start < end:
        raise Invalid("The span ends before it begins. Enter an earlier start.", field="from")
    if end - start > MAX_SPAN:
        raise Invalid("A span has at most 400 days. Enter a later start.", field="from")
    return Span(start, end)


def _instant(name: str) -> datetime | None:
    """Parse an instant such as 2026-11-25T09:14, in UTC without a time zone."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
        minute_number(found)
    except (ValueError, OverflowError):
        raise Invalid(f"{name}: enter a minute such as 2026-11-25T09:14.", field=name) from None
    if not 2000 <= found.year <= 2100:  # noqa: PLR2004 - years that others can be added to
        raise Invalid(f"{name}: enter a year from 2000 to 2100.", field=name)
    return found


def address_of(span: Span) -> dict[str, str]:
    """Return the query parameters that name the span."""
    return {"from": _text(span.start), "to": _text(span.end)}


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}Z"


def rows(indicator_id: UUID, span: Span, *, after: str | None) -> Keyset:
    """Return a page of minutes with data, latest first."""
    found = keyset(
        _minutes(indicator_id, span), MINUTES.c.at, after=after, size=PAGE_SIZE, descending=True
    )
    return Keyset([MinuteRow(*row) for row in found.rows], found.next, found.size)


def _minutes(indicator_id: UUID, span: Span) -> Select[Any]:
    c = MINUTES.c
    return select(c.at, c.good, c.total, c.down).where(
        c.tenant_id == current.actor().tenant_id,
        c.indicator_id == indicator_id,
        c.at >= span.start,
        c.at < span.end,
    )


def csv_pieces(indicator_id: UUID, span: Span) -> Iterator[bytes]:
    """Yield the same minutes as CSV, earliest first, a week at a time."""
    yield codecs.BOM_UTF8 + csv_rows([HEAD])
    start = span.start
    while start < span.end:
        end = min(start + timedelta(days=7), span.end)
        found = queries.minute_rows(indicator_id, Span(start, end))
        if found:
            yield csv_rows([(_text(at), good, total, down) for at, good, total, down in found])
        start = end
