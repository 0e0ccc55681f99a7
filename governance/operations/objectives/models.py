"""Objectives and their versions.

An objective's row has its current definition; every version, including the current one, is also an
append-only row.
"""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.operations.objectives.service_hours import ServiceHours

type WindowKind = Literal["rolling", "calendar"]
WINDOWS = {"rolling": "Rolling days", "calendar": "Calendar month"}


@lru_cache(maxsize=1024)
def share(number: Decimal) -> Fraction:
    """Convert an exact decimal to a fraction; cached, since few values occur."""
    return Fraction(number)


class Definition:
    """The definition in a version of an objective.

    target            required good share, an exact decimal between 0 and 1
    window            "rolling": the last `window_days` days; "calendar": the month in the tenant's
                      time zone
    service_hours     see service_hours.py; None: all hours count
    minimum_coverage  share of the minutes with data below which nothing is determinable
    rules             burn-rate rules in the form of the alerts feature; None: its defaults
    """

    target: Mapped[Decimal] = mapped_column(Numeric)
    window: Mapped[str] = mapped_column(default="rolling")
    window_days: Mapped[int] = mapped_column(default=30)
    service_hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    minimum_coverage: Mapped[Decimal] = mapped_column(Numeric, default=Decimal("0.95"))
    rules: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def target_share(self) -> Fraction:
        return share(self.target)

    @property
    def minimum_coverage_share(self) -> Fraction:
        return share(self.minimum_coverage)

    @property
    def hours(self) -> ServiceHours | None:
        return None if self.service_hours is None else ServiceHours.parse(self.service_hours)


def _checks() -> tuple[CheckConstraint, ...]:
    """Return new checks of a definition for each table, since a constraint keeps its first name."""
    share = "minimum_coverage >= 0 AND minimum_coverage <= 1"
    return (
        CheckConstraint("target > 0 AND target < 1", "target_share"),
        CheckConstraint(share, "minimum_coverage_share"),
        CheckConstraint("\"window\" IN ('rolling', 'calendar')", "window_kind"),
        CheckConstraint("window_days BETWEEN 1 AND 366", "window_days_range"),
    )


class Objective(Definition, Tenanted, Model):
    """A target for one indicator. It is retired, never deleted.

    `key` is its slug (OpenSLO's metadata.name), `number` the number of the current version, and
    `kind_note` the small text below the name, such as "weekly evaluation, counts".
    """

    __tablename__ = "objectives"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        tenant_fk("indicator_id", "indicators"),
        Index(None, "tenant_id", "indicator_id"),
        *_checks(),
    )

    key: Mapped[str]
    name: Mapped[str]
    indicator_id: Mapped[UUID]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    kind_note: Mapped[str] = mapped_column(default="")
    is_ai: Mapped[bool] = mapped_column(default=False)
    number: Mapped[int] = mapped_column(default=1)
    retired_at: Mapped[datetime | None]

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


class ObjectiveVersion(Definition, Tenanted, Model):
    """One definition of an objective. It never changes. `at` is when it was saved."""

    __tablename__ = "objective_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "objective_id", "number"),
        tenant_fk("objective_id", "objectives"),
        *_checks(),
    )

    objective_id: Mapped[UUID]
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(default="")
    by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
