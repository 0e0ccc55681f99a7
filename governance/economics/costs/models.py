"""Bills, their lines, and the rules that place them, as rows of the operator's own tenant.

    cost_bills           a bill of an imported file; a later file can replace it completely
    cost_lines           charges added up by day, service, model, pool; also manual lines
    cost_changes         the change of an import or a manual line to a month, in one currency
    cost_pool_rules      rules that assign charges to pools, in order
    invoice_model_names  the usage model that a name on an invoice refers to

Amounts are exact and in their own currency. Billed and effective cost are kept apart: a prepaid
commitment is billed when it is bought and effective when it is drawn down.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.economics.costs.focus_lines import METERS, POOLS
from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.months import Month
from governance.kernel.web.forms import constraint

MANUAL = "Manual"  # the category of a manual line
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment", MANUAL)
_MONTH_FORM = "usage_month ~ '^[0-9]{4}-[0-9]{2}$'"
_CURRENCY_FORM = "currency ~ '^[A-Z]{3}$'"


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(f"'{each}'" for each in values)})"


class CostBill(Tenanted, Model):
    """A bill of a provider, billing period and invoice in a file, in one currency.

    `period_end` is exclusive. A bill without a number has the invoice id "". A replaced bill keeps
    its totals, but its lines are deleted.
    """

    __tablename__ = "cost_bills"
    __table_args__ = (
        tenant_fk("import_id", "file_imports"),
        Index(
            "uq_cost_bills_current",
            "tenant_id",
            "provider",
            "period_start",
            "period_end",
            "invoice_id",
            "currency",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        Index(None, "tenant_id", "import_id"),
        CheckConstraint("period_start < period_end", "period"),
        CheckConstraint(_CURRENCY_FORM, "currency"),
        CheckConstraint("(replaced_by IS NULL) = (replaced_at IS NULL)", "replaced"),
    )

    import_id: Mapped[UUID]
    provider: Mapped[str]
    period_start: Mapped[date]
    period_end: Mapped[date]
    invoice_id: Mapped[str]
    currency: Mapped[str]
    billed: Mapped[Decimal] = mapped_column(Numeric)
    effective: Mapped[Decimal] = mapped_column(Numeric)
    source_lines: Mapped[int] = mapped_column(BigInteger)
    replaced_by: Mapped[UUID | None]  # the import
    replaced_at: Mapped[datetime | None]

    @property
    def title(self) -> str:
        """The invoice's number, or its provider and period."""
        return self.invoice_id or f"{self.provider}, {self.period_start} to {self.period_end}"


class CostLine(Tenanted, Model):
    """Charges of a day added up, or one manual line for a month.

    `list_cost` and `contracted` are None if the bill has none. `quantity` is in `unit`, "Token"
    for tokens; `meter` is the bucket of the tokens.
    """

    __tablename__ = "cost_lines"
    __table_args__ = (
        tenant_fk("bill_id", "cost_bills"),
        Index(None, "tenant_id", "usage_month", "pool"),
        Index(None, "tenant_id", "bill_id"),
        CheckConstraint(_MONTH_FORM, "usage_month"),
        CheckConstraint(_CURRENCY_FORM, "currency"),
        CheckConstraint(_one_of("pool", POOLS), "pool"),
        CheckConstraint(_one_of("category", CATEGORIES), "category"),
        CheckConstraint(f"meter IS NULL OR {_one_of('meter', METERS)}", "meter"),
        CheckConstraint(
            f"(category = '{MANUAL}') = (bill_id IS NULL) AND (bill_id IS NULL) = (note <> '')",
            "manual",
        ),
    )

    bill_id: Mapped[UUID | None]
    usage_month: Mapped[str]  # such as 2026-10
    day: Mapped[date]
    provider: Mapped[str]
    service: Mapped[str]
    model: Mapped[str | None]  # as the invoice names it
    category: Mapped[str]
    is_correction: Mapped[bool]
    pool: Mapped[str]
    meter: Mapped[str | None]
    currency: Mapped[str]
    billed: Mapped[Decimal] = mapped_column(Numeric)
    effective: Mapped[Decimal] = mapped_column(Numeric)
    list_cost: Mapped[Decimal | None] = mapped_column(Numeric)
    contracted: Mapped[Decimal | None] = mapped_column(Numeric)
    quantity: Mapped[Decimal | None] = mapped_column(Numeric)
    unit: Mapped[str | None]
    invoice_id: Mapped[str]
    source_lines: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(default="")
    entered_by: Mapped[UUID | None]

    @property
    def its_month(self) -> Month:
        return Month.parse(self.usage_month)


class CostChange(Tenanted, Model):
    """The effective total of a month in one currency, before and after an import or manual line."""

    __tablename__ = "cost_changes"
    __table_args__ = (
        tenant_fk("import_id", "file_imports"),
        Index(None, "tenant_id", "import_id"),
        Index(None, "tenant_id", "usage_month", "created_at"),
        CheckConstraint(_MONTH_FORM, "usage_month"),
        CheckConstraint(_CURRENCY_FORM, "currency"),
    )

    import_id: Mapped[UUID | None]  # None for a manual line
    usage_month: Mapped[str]
    currency: Mapped[str]
    effective_before: Mapped[Decimal] = mapped_column(Numeric)
    effective_after: Mapped[Decimal] = mapped_column(Numeric)
    corrections: Mapped[Decimal] = mapped_column(Numeric)  # the part of it that is corrections


class CostPoolRule(Tenanted, Model):
    """A rule: charges that match provider, service and resource are of `pool`. The first wins."""

    __tablename__ = "cost_pool_rules"
    __table_args__ = (
        UniqueConstraint("tenant_id", "position", deferrable=True, initially="DEFERRED"),
        CheckConstraint(_one_of("pool", POOLS), "pool"),
    )

    position: Mapped[int]
    provider: Mapped[str]
    service: Mapped[str]
    resource: Mapped[str]
    pool: Mapped[str]


class InvoiceModelName(Tenanted, Model):
    """The provider and model in usage that a name on an invoice refers to.

    With `invoice_model` "", it maps only the provider's name.
    """

    __tablename__ = "invoice_model_names"
    __table_args__ = (UniqueConstraint("tenant_id", "invoice_provider", "invoice_model"),)

    invoice_provider: Mapped[str]
    invoice_model: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str]


constraint(
    "uq_cost_bills_current",
    "The same bill was imported a moment ago. Upload the file again to see the difference.",
)
constraint(
    "uq_cost_pool_rules_tenant_id_position",
    "Someone else changed the rules a moment ago. Review them, then save again.",
)
constraint(
    "uq_invoice_model_names_tenant_id_invoice_provider_invoice_model",
    "Someone else matched this name a moment ago. Review it, then save again.",
)
