"""Prometheus servers to pull minutes from, and the query of each indicator."""

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
    url: Mapped[str]  # Base address, to which /api/v1/query is added
    header: Mapped[str]  # Name of the header with the secret; empty without one
    secret: Mapped[bytes | None]  # Value of the header, encrypted with the installation's key
    added_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="new")  # new | working | failing
    finding: Mapped[str] = mapped_column(default="")  # Reason for failing, in a sentence
    tried_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # Consecutive failures
    next_try_at: Mapped[datetime | None]  # Earliest next try; None: as scheduled


class PrometheusQuery(Tenanted, Model):
    """The query that reads the minutes of one indicator from a source."""

    __tablename__ = "prometheus_queries"
    __table_args__ = (
        tenant_fk("indicator_id", "indicators"),
        tenant_fk("source_id", "prometheus_sources"),
        UniqueConstraint("tenant_id", "indicator_id"),
        Index(None, "tenant_id", "source_id"),
    )

    indicator_id: Mapped[UUID]
    source_id: Mapped[UUID]
    kind: Mapped[str]  # One of QUERY_KINDS
    good: Mapped[str]  # Selector or query of good events; empty for a histogram
    total: Mapped[str]  # Selector or query of all events; a histogram's buckets
    bucket: Mapped[Decimal | None] = mapped_column(BOUND)  # Histogram: bound "le" of good events
    revision: Mapped[int] = mapped_column(default=1)  # Increases with each change
    pulled_until: Mapped[datetime | None]  # Earlier minutes were already requested
    state: Mapped[str] = mapped_column(default="new")  # new | working | failing
    finding: Mapped[str] = mapped_column(default="")
    unknown: Mapped[dict[str, Any]] = mapped_column(default=dict)  # Minutes by reason
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
