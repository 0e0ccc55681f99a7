"""List prices in each customer's tenant, and the operator's decision to show them.

    list_price_settings   the operator's decision; without a row, tenants see no price
    list_prices           copies of the monthly prices of a customer's models, in its tenant

Copies are a plain table whose key is natural, without an id. They are in the operator's reporting
currency, at the rate of the month, or at a provisional one until that is entered.
"""

from sqlalchemy import CheckConstraint, Column, Date, Numeric, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from governance.economics.usage.usage_events import BUCKETS
from governance.kernel.data.db import Model, Tenanted


class ListPriceSettings(Tenanted, Model):
    """The operator's decision whether tenants see the cost of their usage at list prices."""

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
    Column("rate_currency", Text),  # of the price book, if its rate is provisional
    Column("rate_month", Date),  # first day of the month whose rate was used
    CheckConstraint("(rate_currency IS NULL) = (rate_month IS NULL)", name="provisional"),
    CheckConstraint("first_day <= last_day", name="days"),
    CheckConstraint(
        " AND ".join(f"{each}_price >= 0" for each in (*BUCKETS, "request")), name="prices"
    ),
)
