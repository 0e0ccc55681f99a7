"""Tables of the reporting currency and monthly exchange rates, in the operator's own tenant."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted
from governance.kernel.web.forms import constraint

RATE = Numeric(20, 10)


class ReportingCurrency(Tenanted, Model):
    """The currency of the operator's totals. Without a row, the default applies."""

    __tablename__ = "reporting_currencies"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency"),
    )

    currency: Mapped[str]  # ISO 4217


class ExchangeRate(Tenanted, Model):
    """The value of one unit of a currency in the reporting currency, in a month."""

    __tablename__ = "exchange_rates"
    __table_args__ = (
        UniqueConstraint("tenant_id", "reporting_currency", "month", "currency"),
        CheckConstraint("rate > 0", "rate"),
        CheckConstraint("currency <> reporting_currency", "currency"),
        CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", "month"),
    )

    reporting_currency: Mapped[str]  # ISO 4217
    month: Mapped[str]  # such as 2026-10
    currency: Mapped[str]
    rate: Mapped[Decimal] = mapped_column(RATE)  # 1 unit of `currency` = this much
    source: Mapped[str]  # such as "ECB, monthly average"
    entered_by: Mapped[UUID | None]


constraint(
    "uq_exchange_rates_tenant_id_reporting_currency_month_currency",
    "Someone else entered this rate a moment ago. Review it, then save again.",
)
