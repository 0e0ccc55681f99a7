"""Indicators and their counts.

indicator(id), named(slug), live_indicators()   definitions
by_keys(keys), lock(ids)                    the indicators of a batch, locked
counts(id, spans), counts_of_many(windows)  exact sums for any number of windows in one statement
daily(id, span), hourly(id, span)           rollups
minute_rows(id, span)                       the counts themselves
known_spans(id, span), gaps(id, span)       the minutes with data, and without
last_minute(ids)                            the newest minute of each
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, String, Table, any_, cast, select, text

from governance.kernel import current
from governance.kernel.data.db import among, find, session
from governance.kernel.errors import NotFound
from governance.kernel.intervals import Span
from governance.kernel.web.forms import uuid_or_none
from governance.operations.measurements import coverage
from governance.operations.measurements.counting import counts_of_many
from governance.operations.measurements.coverage import known_spans
from governance.operations.measurements.models import DAYS, HOURS, MINUTES, Indicator
from governance.operations.measurements.scoring import Counts

__all__ = [
    "by_keys",
    "counts",
    "counts_of_many",
    "daily",
    "every_indicator",
    "gaps",
    "hourly",
    "indicator",
    "known_spans",
    "last_minute",
    "live_indicators",
    "lock",
    "minute_rows",
    "named",
]

LAST_MINUTE = text("""
SELECT i.id, m.at FROM unnest(CAST(:ids AS uuid[])) AS i (id) CROSS JOIN LATERAL (
  SELECT at FROM indicator_minutes WHERE tenant_id = :tenant AND indicator_id = i.id
  ORDER BY at DESC LIMIT 1) AS m
""")


# ---- definitions


def indicator(indicator_id: UUID, *, lock: bool = False) -> Indicator:
    """Return an indicator, retired or not. Raises NotFound for any other tenant's."""
    return find(Indicator, indicator_id, what="indicator", lock=lock)


def named(name: str) -> Indicator:
    """Return the indicator of this slug or id. Raises NotFound for any other tenant's."""
    indicator_id = uuid_or_none(name)
    if indicator_id is not None:
        return indicator(indicator_id)
    found = session().scalars(select(Indicator).where(Indicator.key == name)).one_or_none()
    if found is None:
        raise NotFound("This indicator doesn't exist, or you don't have access to it.")
    return found


def live_indicators(system_id: UUID | None = None) -> Sequence[Indicator]:
    """Return the indicators that aren't retired, by slug, of one system or of all."""
    query = select(Indicator).where(Indicator.retired_at.is_(None)).order_by(Indicator.key)
    if system_id is not None:
        query = query.where(Indicator.system_id == system_id)
    return session().scalars(query).all()


def every_indicator() -> Sequence[Indicator]:
    """Return all indicators, including retired ones, by slug."""
    return session().scalars(select(Indicator).order_by(Indicator.key)).all()


def by_keys(keys: Collection[str]) -> dict[str, Indicator]:
    """Return the indicators with these slugs, including retired ones, locked in order of id."""
    wanted = any_(cast(list(keys), ARRAY(String)))
    query = select(Indicator).where(Indicator.key == wanted).order_by(Indicator.id)
    return {each.key: each for each in session().scalars(query.with_for_update(key_share=True))}


def lock(indicator_ids: Collection[UUID]) -> dict[UUID, Indicator]:
    """Lock these indicators in order of id, for a batch of their minutes."""
    query = select(Indicator).where(among(Indicator.id, indicator_ids)).order_by(Indicator.id)
    return {each.id: each for each in session().scalars(query.with_for_update(key_share=True))}


# ---- counts


def counts(indicator_id: UUID, spans: Iterable[Span]) -> Counts:
    """Return the counts of the minutes in these spans. Overlapping minutes count once."""
    return counts_of_many([(indicator_id, list(spans))])[0]


def daily(indicator_id: UUID, span: Span) -> list[tuple[datetime, Counts]]:
    """Return the days of UTC that begin in the span and have data."""
    return _rollup(DAYS, indicator_id, span)


def hourly(indicator_id: UUID, span: Span) -> list[tuple[datetime, Counts]]:
    """Return the hours of UTC that begin in the span and have data."""
    return _rollup(HOURS, indicator_id, span)


def _rollup(table: Table, indicator_id: UUID, span: Span) -> list[tuple[datetime, Counts]]:
    c = table.c
    query = select(c.at, c.minutes, c.down, c.good, c.total).where(
        c.tenant_id == current.actor().tenant_id,
        c.indicator_id == indicator_id,
        c.at >= span.start,
        c.at < span.end,
    )
    rows = session().execute(query.order_by(c.at))
    return [(row.at, Counts(row.minutes, row.down, row.good, row.total)) for row in rows]


def minute_rows(
    indicator_id: UUID, span: Span, *, limit: int | None = None
) -> list[tuple[datetime, int, int, bool]]:
    """Return (at, good, total, down) of each minute with data, earliest first."""
    c = MINUTES.c
    query = select(c.at, c.good, c.total, c.down).where(
        c.tenant_id == current.actor().tenant_id,
        c.indicator_id == indicator_id,
        c.at >= span.start,
        c.at < span.end,
    )
    rows = session().execute(query.order_by(c.at).limit(limit))
    return [(row.at, row.good, row.total, row.down) for row in rows]


def gaps(indicator_id: UUID, span: Span, min_minutes: int = 1) -> list[Span]:
    """Return the gaps of at least `min_minutes` without data in the span."""
    return coverage.between(known_spans(indicator_id, span), span, min_minutes=min_minutes)


def last_minute(indicator_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """Return the newest minute of each indicator that has one. Runs one statement."""
    values = {"tenant": current.actor().tenant_id, "ids": list(indicator_ids)}
    return {row.id: row.at for row in session().execute(LAST_MINUTE, values)}
