"""List prices in each customer's tenant, and whether the operator shows them.

    list_price_settings   the operator's decision; without a row, tenants see no price
    list_prices           copies in a customer's tenant of what its models cost in a month

Copies are a plain table: a row is what it says, without an id of ours. They are in the operator's
reporting currency, at the rate of the month, or until it is entered at a provisional one.
"""

from sqlalchemy import CheckConstraint, Column, Date, Numeric, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from governance.economics.usage.usage_events import BUCKETS
from governance.kernel.data.db import Model, Tenanted


class ListPriceSettings(Tenanted, Model):
    """Whether tenants see what their usage costs at the list prices."""

    __tablename__ = "list_price_settings"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    is_shared: Mapped[bool]


LIST_PRICES = Table(
    "list_prices",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),  # its first day, in the operator's time zone
    Column("provider", Text, primary_key=True),  # "" where events name none
    Column("model", Text, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, nullable=False),
    Column("currency", Text, nullable=False),
    *(Column(f"{each}_price", Numeric, nullable=False) for each in (*BUCKETS, "request")),
    Column("rate_currency", Text),  # of the price book, where its rate is provisional
    Column("rate_month", Date),  # first day of the month whose rate was used
    CheckConstraint("(rate_currency IS NULL) = (rate_month IS NULL)", name="provisional"),
    CheckConstraint("first_day <= last_day", name="days"),
    CheckConstraint(
        " AND ".join(f"{each}_price >= 0" for each in (*BUCKETS, "request")), name="prices"
    ),
)
