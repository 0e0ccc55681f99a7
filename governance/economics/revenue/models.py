"""Finance data of each customer. All rows are the operator's own, so no customer reads them.

    accounts             the customer's segment, seats, and when it was won and lost
    account_segments     the operator's list of segments
    subscriptions        versions of a customer's monthly amount
    invoices             amounts billed for a month; a credit note is a negative amount
    acquisition_months   spend and wins of a channel in a month, by segment
    support_months       hours, tickets and their cost by customer and month

`customer_id` is the id of the customer's row in `tenants`, which outlives a deleted tenant.
A month is written "2026-10". Amounts are exact decimals in units of their currency.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted

AMOUNT = Numeric(20, 4)  # the smallest unit of any currency
MONTH = "month ~ '^[0-9]{4}-[0-9]{2}$'"
CURRENCY = "currency ~ '^[A-Z]{3}$'"


class Account(Tenanted, Model):
    """A customer from the perspective of sales and finance."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "customer_id"),
        CheckConstraint("seats >= 0", "seats"),
        CheckConstraint("lost_on > won_on", "period"),
    )

    customer_id: Mapped[UUID]
    segment: Mapped[str]  # from the operator's list
    seats: Mapped[int]  # people who may use the products
    won_on: Mapped[date]
    lost_on: Mapped[date | None]  # the first day on which it was no longer a customer

    @property
    def mark(self) -> str:
        """The content of the row. A form carries it to detect a concurrent change."""
        return "/".join(str(each) for each in (self.segment, self.seats, self.won_on, self.lost_on))


class AccountSegment(Tenanted, Model):
    """A segment of the operator's list, in its order."""

    __tablename__ = "account_segments"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    position: Mapped[int]


class CustomerSubscription(Tenanted, Model):
    """A customer's monthly amount from a day on.

    A later row with the same reference replaces this one from its own first day.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "reference", "starts_on"),
        CheckConstraint("ends_on > starts_on", "period"),
        CheckConstraint("amount >= 0", "amount"),
        CheckConstraint(CURRENCY, "currency"),
        Index(None, "tenant_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    reference: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]  # the first day without it
    amount: Mapped[Decimal] = mapped_column(AMOUNT)  # per month
    currency: Mapped[str]


class Invoice(Tenanted, Model):
    """A net amount billed for a month of service; an invoice for several months has a row for each."""

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number", "month"),
        CheckConstraint(MONTH, "month"),
        CheckConstraint(CURRENCY, "currency"),
        Index(None, "tenant_id", "month", "customer_id"),
    )

    number: Mapped[str]
    customer_id: Mapped[UUID]
    issued_on: Mapped[date]
    month: Mapped[str]  # of the service, regardless of the billing date
    amount: Mapped[Decimal] = mapped_column(AMOUNT)  # net; negative for a credit note
    currency: Mapped[str]


class AcquisitionMonth(Tenanted, Model):
    """Spend and won accounts of a channel in a month and segment.

    Spend without wins and wins without spend are both kept: no cost per win follows from either.
    """

    __tablename__ = "acquisition_months"
    __table_args__ = (
        UniqueConstraint("tenant_id", "month", "channel", "segment"),
        CheckConstraint(MONTH, "month"),
        CheckConstraint("spend >= 0", "spend"),
        CheckConstraint("wins >= 0", "wins"),
        CheckConstraint(CURRENCY, "currency"),
    )

    month: Mapped[str]
    channel: Mapped[str]
    segment: Mapped[str]
    spend: Mapped[Decimal] = mapped_column(AMOUNT)
    currency: Mapped[str]
    wins: Mapped[int]


class SupportMonth(Tenanted, Model):
    """Support of a customer in a month; its cost is hours times cost per hour."""

    __tablename__ = "support_months"
    __table_args__ = (
        UniqueConstraint("tenant_id", "month", "customer_id"),
        CheckConstraint(MONTH, "month"),
        CheckConstraint("hours >= 0", "hours"),
        CheckConstraint("tickets >= 0", "tickets"),
        CheckConstraint("cost_per_hour >= 0", "cost_per_hour"),
        CheckConstraint(CURRENCY, "currency"),
    )

    month: Mapped[str]
    customer_id: Mapped[UUID]
    hours: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    tickets: Mapped[int]
    cost_per_hour: Mapped[Decimal] = mapped_column(AMOUNT)
    currency: Mapped[str]
