"""Released benchmarks. The operator's rows are the ledger of the privacy budget; each customer's
tenant has copies to read.
"""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted

SHARE = Numeric(9, 6)


class Benchmark(Tenanted, Model):
    """The mean of a measure over the tenants of a month, with noise; or why there is none."""

    __tablename__ = "benchmarks"
    __table_args__ = (
        UniqueConstraint("tenant_id", "month", "measure"),
        CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", "month"),
        CheckConstraint("epsilon >= 0", "epsilon"),
        CheckConstraint("(mean IS NULL) = (epsilon = 0)", "released"),
        CheckConstraint("(mean IS NULL) = (accuracy IS NULL)", "accuracy"),
    )

    month: Mapped[str]  # such as 2026-10
    measure: Mapped[str]  # of private_mean.MEASURES
    tenants: Mapped[int]
    epsilon: Mapped[Decimal] = mapped_column(Numeric(6, 3))  # spent on it; 0 where it was refused
    mean: Mapped[Decimal | None] = mapped_column(SHARE)
    accuracy: Mapped[Decimal | None] = mapped_column(SHARE)  # the noise is smaller in 95% of cases
    refusal: Mapped[str] = mapped_column(default="")  # why nothing was released
