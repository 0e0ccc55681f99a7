"""Indicators, their minute counts, and the rollups of these counts.

The counts are plain tables, not classes: a row is an instant and its numbers, without an id.

    indicator_minutes    a partition per month of UTC (partitions.py); no row = unknown
    indicator_hours      the same counts added up per hour and per day of UTC
    indicator_days
"""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.operations.measurements.scoring import IndicatorKind, IndicatorRule

KINDS: dict[IndicatorKind, str] = {
    "ratio": "Ratio",
    "threshold": "Threshold",
    "downtime": "Downtime",
}
SOURCES = {"push": "Push API", "prometheus": "Prometheus"}
SHARE = Numeric(9, 8)  # 0 to 1
BOUND = Numeric(18, 6)

type GoodSide = Literal["at_most", "more_than"]


class Indicator(Tenanted, Model):
    """One measured quantity of an AI system or one of its features.

    Its definition never changes once it has data, so a count means the same in every month.
    """

    __tablename__ = "indicators"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "key"),
        Index(None, "tenant_id", "system_id"),
    )

    key: Mapped[str]
    name: Mapped[str]
    system_id: Mapped[UUID]
    feature: Mapped[str | None]  # Slug of the system's feature; None: all of the system
    kind: Mapped[str]  # One of KINDS
    unit: Mapped[str]  # Counted events, as a plural noun: "requests"
    min_requests: Mapped[int] = mapped_column(default=1)  # Downtime: with fewer, a minute is up
    floor: Mapped[Decimal | None] = mapped_column(SHARE)  # Downtime: minimum share of an up minute
    bound: Mapped[Decimal | None] = mapped_column(BOUND)  # Threshold: limit of good events
    bound_unit: Mapped[str | None]  # "s", "tokens/s"
    good_side: Mapped[str] = mapped_column(default="at_most")  # at_most | more_than (the bound)
    vendor: Mapped[str | None]  # Provider whose errors it counts
    source: Mapped[str] = mapped_column(default="push")  # One of SOURCES
    retired_at: Mapped[datetime | None]

    @property
    def rule(self) -> IndicatorRule:
        return IndicatorRule(
            cast("IndicatorKind", self.kind), self.min_requests, Fraction(self.floor or 0)
        )

    @property
    def sentence(self) -> str:
        """Its definition, as a person reads it."""
        if self.kind == "threshold" and self.bound is not None:
            side = "at most" if self.good_side == "at_most" else "more than"
            return (
                f"Counts {self.unit}; good ones have {side} {_plain(self.bound)} {self.bound_unit}."
            )
        if self.kind == "downtime":
            few = f"less than {_plain((self.floor or Decimal(0)) * 100)}% of them are good"
            return (
                f"A minute is down when {self.min_requests:,} or more {self.unit} arrive and"
                f" {few if self.floor else 'none is good'}."
            )
        return f"Counts good and total {self.unit}."

    @property
    def kind_name(self) -> str:
        return KINDS[cast("IndicatorKind", self.kind)]

    @property
    def source_name(self) -> str:
        return SOURCES[self.source]

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


def _plain(number: Decimal) -> str:
    """Format a number without trailing zeros: 0.5 and 20."""
    return f"{number.normalize():f}"


def _key() -> tuple[Column[Any], ...]:
    return (
        Column("tenant_id", Uuid, primary_key=True),
        Column("indicator_id", Uuid, primary_key=True),
        Column("at", DateTime(timezone=True), primary_key=True),
    )


# A foreign key would cost a lookup for each minute. Every minute has its hour, which has one.
MINUTES = Table(
    "indicator_minutes",
    Model.metadata,
    *_key(),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("good", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("down", Boolean, nullable=False),
    CheckConstraint("good >= 0 AND good <= total", name="counts"),
    postgresql_partition_by="RANGE (at)",
)


def _rollup(name: str) -> Table:
    return Table(
        name,
        Model.metadata,
        *_key(),
        Column("minutes", Integer, nullable=False),  # Number of minutes with data
        Column("down", Integer, nullable=False),
        Column("good", BigInteger, nullable=False),
        Column("total", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["tenant_id", "indicator_id"], ["indicators.tenant_id", "indicators.id"]
        ),
    )


HOURS = _rollup("indicator_hours")
DAYS = _rollup("indicator_days")
