"""The inputs of a month's figures, read in one snapshot.

Plain values without behavior: reading.py reads them, assembly.py computes with them. Money is
Decimal in the reporting currency. Mappings are by customer id unless noted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from governance.economics.formulas.acquisition import AcquisitionMonth
from governance.economics.formulas.allocation import Pool, Rule
from governance.economics.formulas.survival import Tenure
from governance.economics.reviews.facts.review_facts import (
    AccountCounts,
    Cohort,
    FeatureAdoption,
    FormulaUsed,
    Input,
    MrrBridge,
    RateUsed,
    Reconciliation,
    RuleUsed,
    UnpricedInMonth,
)

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the month, possibly a former one by now."""

    id: UUID
    slug: str
    name: str
    segment: str
    tier: str
    is_active: bool
    seats: int


@dataclass(frozen=True, slots=True)
class CustomerUsage:
    """Usage of a customer's products. `models` is its model cost, usage x prices.

    `unnamed_tasks` are completed tasks that are requests that succeeded without naming a task.
    """

    requests: int = 0
    refused: int = 0
    tokens: int = 0
    completed_tasks: int = 0
    active_users: int = 0
    models: Decimal = ZERO
    unnamed_tasks: int = 0


@dataclass(frozen=True, slots=True)
class SystemUsage:
    """Usage of one feature of an AI system. The percentiles are of the model cost of a request."""

    customer_id: UUID
    system: str
    feature: str
    attempts: int
    completed_tasks: int
    models: Decimal
    p50: Decimal | None = None
    p95: Decimal | None = None
    p99: Decimal | None = None
    unnamed_tasks: int = 0


@dataclass(frozen=True, slots=True)
class SupportUsage:
    """Support used by a customer: hours, tickets and cost."""

    hours: Decimal = ZERO
    tickets: int = 0
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class GuardrailReviews:
    """Review findings on the blocks of a tier's guardrails.

    `milliseconds` is the mean delay that guardrails add to a request.
    """

    confirmed: int = 0
    false: int = 0
    milliseconds: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SegmentHistory:
    """Account tenures of a segment, and its churn.

    `lost` and `account_months` count the last twelve months.
    """

    tenures: Sequence[Tenure] = ()
    lost: int = 0
    account_months: int = 0


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """The inputs of one month. Each mapping omits customers without a value."""

    month: str
    currency: str
    operator: str
    customers: Sequence[Customer]
    usage: Mapping[UUID, CustomerUsage]
    systems: Sequence[SystemUsage]
    invoiced: Mapping[UUID, Decimal]
    mrr: Mapping[UUID, Decimal]
    bridge: MrrBridge
    accounts: AccountCounts
    support: Mapping[UUID, SupportUsage]
    pools: Mapping[Pool, Decimal]  # shared cost, without models
    allocation: Mapping[Pool, Rule[UUID]]
    acquisition: Sequence[AcquisitionMonth]  # of all months that CAC may need
    history: Mapping[str, SegmentHistory]  # by segment
    guardrail_reviews: Mapping[str, GuardrailReviews]  # by tier
    tier_order: Sequence[str]  # of policy tiers, the loosest first
    adoption: Sequence[FeatureAdoption]
    cohorts: Sequence[Cohort]
    reconciliation: Reconciliation
    active_users: int
    sla_credits: Mapping[UUID, Decimal]  # only customers with an SLA statement of the month
    inputs: Sequence[Input]
    rates: Sequence[RateUsed]
    formulas: Sequence[FormulaUsed]
    rules: Sequence[RuleUsed]
    unpriced: Sequence[UnpricedInMonth] = ()  # usage whose cost is unknown
