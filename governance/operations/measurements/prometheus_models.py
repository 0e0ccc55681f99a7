"""Prometheus servers that minutes are pulled from, and the query of each indicator."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.operations.measurements.models import BOUND

QUERY_KINDS = {
    "counter": "Counters",
    "count": "Counts per minute",
    "histogram": "Histogram",
}


class PrometheusSource(Tenanted, Model):
    """A server with Prometheus's HTTP API (v1)."""

    __tablename__ = "prometheus_sources"
    __table_args__ = (Index(None, "tenant_id", "removed_at"),)

    name: Mapped[str]
    url: Mapped[str]  # what /api/v1/query is added to
    header: Mapped[str]  # name of the header that carries the secret; empty without one
    secret: Mapped[bytes | None]  # the header's value, wrapped by the installation's key
    added_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="new")  # new working failing
    finding: Mapped[str] = mapped_column(default="")  # why it is failing, in a sentence
    tried_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    next_try_at: Mapped[datetime | None]  # not before; None: as scheduled


class PrometheusQuery(Tenanted, Model):
    """How the minutes of one indicator are read from a source."""

    __tablename__ = "prometheus_queries"
    __table_args__ = (
        tenant_fk("indicator_id", "indicators"),
        tenant_fk("source_id", "prometheus_sources"),
        UniqueConstraint("tenant_id", "indicator_id"),
        Index(None, "tenant_id", "source_id"),
    )

    indicator_id: Mapped[UUID]
    source_id: Mapped[UUID]
    kind: Mapped[str]  # one of QUERY_KINDS
    good: Mapped[str]  # selector or query of good events; empty for a histogram
    total: Mapped[str]  # of all events; a histogram's buckets
    bucket: Mapped[Decimal | None] = mapped_column(BOUND)  # histogram: bound "le" of good events
    revision: Mapped[int] = mapped_column(default=1)  # grows with each change
    pulled_until: Mapped[datetime | None]  # the minutes before it were asked for
    state: Mapped[str] = mapped_column(default="new")  # new working failing
    finding: Mapped[str] = mapped_column(default="")
    unknown: Mapped[dict[str, Any]] = mapped_column(default=dict)  # reason → minutes, last pull
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
