"""Reads of Prometheus sources and of the indicators' queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.work.jobs import WorkItem
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.prometheus_models import (
    PrometheusQuery,
    PrometheusSource,
)

WORK = "prometheus"
MAX_SOURCES = 20  # Maximum per tenant


def sources() -> Sequence[PrometheusSource]:
    """Return the sources that were not removed, by name."""
    query = select(PrometheusSource).where(PrometheusSource.removed_at.is_(None))
    return session().scalars(query.order_by(PrometheusSource.name, PrometheusSource.id)).all()


def source(source_id: UUID, *, lock: bool = False) -> PrometheusSource:
    """Return a source. Raises NotFound for a removed one."""
    found = find(PrometheusSource, source_id, what="Prometheus source", lock=lock)
    if found.removed_at is not None:
        raise NotFound("This Prometheus source doesn't exist or was removed.")
    return found


def query_of(indicator_id: UUID, *, lock: bool = False) -> PrometheusQuery | None:
    """Return the query of an indicator."""
    query = select(PrometheusQuery).where(PrometheusQuery.indicator_id == indicator_id)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


@dataclass(frozen=True, slots=True)
class IndicatorPull:
    """An indicator, and its query, if any."""

    indicator: Indicator
    query: PrometheusQuery | None


def pulls() -> list[IndicatorPull]:
    """Return the active indicators that Prometheus measures, by name. Runs one statement."""
    query = (
        select(Indicator, PrometheusQuery)
        .outerjoin(PrometheusQuery, PrometheusQuery.indicator_id == Indicator.id)
        .where(Indicator.source == "prometheus", Indicator.retired_at.is_(None))
    )
    rows = session().execute(query.order_by(Indicator.name, Indicator.id))
    return [IndicatorPull(*row) for row in rows]


def due(now: datetime, *, limit: int) -> list[tuple[PrometheusQuery, PrometheusSource, Indicator]]:
    """Return the queries that may run now, those with the oldest missing minutes first."""
    rested = [
        model.next_try_at.is_(None) | (model.next_try_at <= now)
        for model in (PrometheusQuery, PrometheusSource)
    ]
    query = (
        select(PrometheusQuery, PrometheusSource, Indicator)
        .join(PrometheusSource, PrometheusSource.id == PrometheusQuery.source_id)
        .join(Indicator, Indicator.id == PrometheusQuery.indicator_id)
        .where(
            PrometheusSource.removed_at.is_(None),
            Indicator.retired_at.is_(None),
            *rested,
        )
        .order_by(PrometheusQuery.pulled_until.asc().nulls_first(), PrometheusQuery.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in session().execute(query)]


def under_way() -> Sequence[WorkItem]:
    """Return requested tests and backfills that are still in progress, oldest first."""
    query = select(WorkItem).where(WorkItem.kind == WORK, WorkItem.state.in_(("queued", "running")))
    return session().scalars(query.order_by(WorkItem.created_at, WorkItem.id).limit(20)).all()
