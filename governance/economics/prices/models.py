"""The price book, usage with its cost, and restatements: rows of the operator's own tenant.

    prices               a model's price from a day on; rows never change
    usage_costs          requests, tokens and cost by customer, day, AI system, model and outcome
    usage_collections    how far each customer's usage was read
    price_restatements   past usage priced again, requested and approved by two people

Usage and its collections are plain tables whose key is natural, without an id.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.economics.usage.usage_events import BUCKETS
from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.web.forms import constraint

PRICE = Numeric(18, 8)
COST = Numeric(20, 8)


class Price(Tenanted, Model):
    """The price of a million tokens of a model from a day on; a later day supersedes it."""

    __tablename__ = "prices"
    __table_args__ = (
        tenant_fk("import_id", "file_imports"),
        UniqueConstraint(
            "tenant_id",
            "match_key",
            "effective_from",
            "customer_id",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency"),
        CheckConstraint(
            " AND ".join(f"{each}_price >= 0" for each in (*BUCKETS, "request")), "prices"
        ),
    )

    provider: Mapped[str]  # "" for usage that names none
    model: Mapped[str]
    match_key: Mapped[str]  # model_names.match_key(provider, model)
    customer_id: Mapped[UUID | None]  # the only customer with this price
    effective_from: Mapped[date]  # a day of the operator's time zone
    currency: Mapped[str]  # ISO 4217
    input_price: Mapped[Decimal] = mapped_column(PRICE)  # per million tokens
    cache_read_price: Mapped[Decimal] = mapped_column(PRICE)
    cache_write_price: Mapped[Decimal] = mapped_column(PRICE)
    output_price: Mapped[Decimal] = mapped_column(PRICE)
    reasoning_price: Mapped[Decimal] = mapped_column(PRICE)
    request_price: Mapped[Decimal] = mapped_column(PRICE)
    source: Mapped[str]
    source_date: Mapped[date | None]
    deprecation_date: Mapped[date | None]  # when the provider ends the model
    successor_model: Mapped[str | None]
    unused_prices: Mapped[dict[str, Any]] = mapped_column(default=dict)  # by LiteLLM's field
    import_id: Mapped[UUID | None]  # the price table that it is from
    entered_by: Mapped[UUID | None]


USAGE_COSTS = Table(
    "usage_costs",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("system_id", Uuid, primary_key=True),
    Column("feature", Text, primary_key=True),  # "" where events name none
    Column("provider", Text, primary_key=True),  # "" where events name none
    Column("model", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("system", Text, nullable=False),  # its slug
    Column("match_key", Text, nullable=False),  # model_names.match_key(provider, model)
    Column("requests", BigInteger, nullable=False),
    *(Column(f"{each}_tokens", BigInteger, nullable=False) for each in BUCKETS),
    Column("price_id", Uuid),  # None while the model has no price
    Column("currency", Text),  # of the price
    Column("cost", COST, nullable=False),
    Column("collected_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["tenant_id", "price_id"], ["prices.tenant_id", "prices.id"]),
    CheckConstraint("requests >= 0", name="requests"),
    CheckConstraint("cost >= 0", name="cost"),
    CheckConstraint("(price_id IS NULL) = (currency IS NULL)", name="priced"),
    CheckConstraint("price_id IS NOT NULL OR cost = 0", name="unpriced"),
    Index(
        "ix_usage_costs_unpriced",
        "tenant_id",
        "match_key",
        postgresql_where=text("price_id IS NULL"),
    ),
)

USAGE_COLLECTIONS = Table(
    "usage_collections",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    # usage_days.changed_at of the last row that was read
    Column("collected_until", DateTime(timezone=True), nullable=False),
)


class PriceRestatement(Tenanted, Model):
    """A request to reprice a model's usage of some months with the book at the time of approval."""

    __tablename__ = "price_restatements"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("state IN ('requested', 'applied', 'rejected')", "state"),
        Index(
            "uq_price_restatements_open",
            "tenant_id",
            "match_key",
            unique=True,
            postgresql_where=text("state = 'requested'"),
        ),
    )

    number: Mapped[int]
    match_key: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str]
    first_month: Mapped[str]  # such as 2026-08
    last_month: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default="requested")
    requested_by: Mapped[UUID]
    applied: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))  # MonthChange rows
    ended_at: Mapped[datetime | None]

    @property
    def ref(self) -> str:
        return f"RES-{self.number}"


constraint(
    "uq_price_restatements_open",
    "A restatement of this model awaits approval already. Decide it first.",
)
