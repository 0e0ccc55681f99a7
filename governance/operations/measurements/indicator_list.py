"""The list of indicators: declaration, rows, and measured facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span, whole_minute
from governance.kernel.pages.list_pages import Column, Filter, ListPage
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.kernel.web.forms import uuid_or_none
from governance.operations.measurements import queries
from governance.operations.measurements.models import KINDS, SOURCES, Indicator
from governance.operations.systems import queries as systems

COVERAGE_DAYS = 7
NO_SYSTEM = UUID(int=0)


def _systems() -> list[tuple[str, str]]:
    return [(str(system_id), name) for system_id, name in systems.choices()]


INDICATORS = ListPage(
    name="indicators",
    title="Indicators",
    noun="indicator",
    endpoint="indicators.index",
    search="Search indicators",
    sort="indicator",
    columns=(
        Column("indicator", "Indicator", sort=True),
        Column("system", "AI system", optional=True),
        Column("kind", "Kind", sort=True, optional=True),
        Column("source", "Source", sort=True, optional=True),
        Column("last", "Last minute", optional=True),
        Column("coverage", "Coverage, 7 days", optional=True, numeric=True),
    ),
    filters=(
        Filter("system", "AI system", _systems),
        Filter("kind", "Kind", tuple(KINDS.items())),
        Filter("source", "Source", tuple(SOURCES.items())),
        Filter("state", "State", (("retired", "retired"),), any="live", unknown="ignored"),
    ),
)
SORTS: Mapping[str, tuple[Any, ...]] = {  # Each ends with a column that is unique in the tenant
    "indicator": (Indicator.key,),
    "kind": (Indicator.kind, Indicator.key),
    "source": (Indicator.source, Indicator.key),
}


@dataclass(frozen=True, slots=True)
class Known:
    """Measured facts about an indicator."""

    last: datetime | None
    coverage: Fraction  # Share of the minutes of the last 7 days with data


def rows(wanted: Mapping[str, str], *, sort: str, after: str | None, size: int) -> Keyset:
    """Return a page of indicators."""
    return sorted_page(_filtered(wanted), SORTS, sort, after=after, size=size)


def _filtered(wanted: Mapping[str, str]) -> Select[Any]:
    is_retired = Indicator.retired_at.is_not(None)
    query = select(Indicator).where(is_retired if wanted.get("state") == "retired" else ~is_retired)
    if "kind" in wanted:
        query = query.where(Indicator.kind == wanted["kind"])
    if "source" in wanted:
        query = query.where(Indicator.source == wanted["source"])
    if "system" in wanted:
        query = query.where(Indicator.system_id == (uuid_or_none(wanted["system"]) or NO_SYSTEM))
    if "q" in wanted:
        columns = (Indicator.key, Indicator.name, Indicator.vendor)
        query = query.where(or_(*(c.icontains(wanted["q"], autoescape=True) for c in columns)))
    return query


def totals() -> dict[str, int]:
    """Count active and retired indicators."""
    live = Indicator.retired_at.is_(None)
    query = select(
        func.count().filter(live).label("live"), func.count().filter(~live).label("retired")
    ).select_from(Indicator)
    row = session().execute(query).one()
    return {"live": row.live, "retired": row.retired}


def recent() -> Span:
    """Return the last 7 days, up to the current minute."""
    now = whole_minute(clock.now())
    return Span(now - timedelta(days=COVERAGE_DAYS), now)


def known_of(indicators: Sequence[Indicator]) -> dict[UUID, Known]:
    """Return the measured facts of each. Runs two statements."""
    if not indicators:
        return {}
    ids, span = [each.id for each in indicators], recent()
    last = queries.last_minute(ids)
    counts = queries.counts_of_many([(each, [span]) for each in ids])
    expected = (span.end - span.start) // MINUTE
    return {
        each: Known(last.get(each), Fraction(found.minutes, expected))
        for each, found in zip(ids, counts, strict=True)
    }
