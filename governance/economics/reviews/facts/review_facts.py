"""The content of a review: the figures of one month, and the inputs they follow from.

Rows, data files and reports are read and written with `encode` and `decode` only. Money is Decimal
in the operator's reporting currency, in major units: unrounded for quotients, to the cent for sums
of cents. Shares are fractions of 1.

A figure that can't be computed is None, with a sentence that gives the reason: never zero or
infinity.
"""

from decimal import Decimal
from typing import Any

import msgspec

from governance.kernel.formatting import plural

VERSION = 1  # of this format


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base struct of all parts of a review."""


# ---- sources of figures


class Input(Struct, frozen=True):
    """A source of the month's figures, with its number of rows and its digest."""

    name: str  # "usage", "prices", "bills", "subscriptions", …
    label: str
    rows: int
    sha256: str  # of the rows in canonical form
    source: str  # "Files", "API"…


class RateUsed(Struct, frozen=True):
    """The exchange rate of `currency`: 1 unit is `rate` of the reporting currency."""

    currency: str
    rate: Decimal


class UnpricedInMonth(Struct, frozen=True):
    """Usage of a model without a price. No figure of the month includes its cost."""

    provider: str  # "" if events don't name one
    model: str
    requests: int
    tokens: int


class FormulaUsed(Struct, frozen=True):
    """A measure's definition at the time of the close."""

    name: str
    version: int
    text: str  # "(revenue - cost of revenue) ÷ revenue"
    unit: str
    title: str = ""  # "Gross margin"


class RuleUsed(Struct, frozen=True):
    """The rule by which a pool of shared cost was allocated."""

    pool: str  # "infrastructure", "idle", "guardrails", "support", "other"
    driver: str  # "tokens", "requests", "active users", "revenue", "equal", "fixed shares"
    version: int
    since: str  # "2026-07"


# ---- money


class Costs(Struct, frozen=True):
    """Cost of serving, by kind, to the cent."""

    models: Decimal
    guardrails: Decimal
    infrastructure: Decimal
    support: Decimal

    @property
    def total(self) -> Decimal:
        """The sum of all kinds."""
        return self.models + self.guardrails + self.infrastructure + self.support


class Waterfall(Struct, frozen=True):
    """The waterfall from revenue to contribution.

    revenue - costs.total - residual - residue = gross_margin; gross_margin - acquisition =
    contribution. `residual` is invoiced model cost that usage x prices doesn't explain, `residue`
    is shared cost that no rule allocates.
    """

    revenue: Decimal
    costs: Costs
    residual: Decimal
    residue: Decimal
    gross_margin: Decimal
    acquisition: Decimal
    contribution: Decimal


class MrrBridge(Struct, frozen=True):
    """The MRR bridge: start + new + expansion + reactivation - contraction - churn = end."""

    start: Decimal
    new: Decimal
    expansion: Decimal
    reactivation: Decimal
    contraction: Decimal
    churn: Decimal
    end: Decimal


class AccountCounts(Struct, frozen=True):
    """The numbers of paying accounts: start + won + returned - lost = end."""

    start: int
    won: int
    returned: int
    lost: int
    end: int


class Ratios(Struct, frozen=True):
    """The month's headline measures. `why` maps the name of a None to the reason."""

    gross_margin: Decimal | None
    gross_margin_low: Decimal | None  # interval from the residual
    gross_margin_high: Decimal | None
    contribution: Decimal | None
    arpa: Decimal | None
    logo_churn: Decimal | None
    grr: Decimal | None
    nrr: Decimal | None
    quick_ratio: Decimal | None
    cost_per_request: Decimal | None
    guardrails_per_request: Decimal | None
    cost_per_active_user: Decimal | None
    cost_per_task: Decimal | None
    why: dict[str, str] = {}


# ---- by tenant, segment, tier, AI system


class Reason(Struct, frozen=True):
    """The largest reason of a loss: a sentence and a note.

    Example: "41,000 tokens in a median prompt" and "high: p95 is 96,000".
    """

    text: str
    note: str


class TenantMonth(Struct, frozen=True):
    """A tenant's figures of the month.

    `margin` is revenue - costs.total. `sla_credits` come from the tenant's SLA statements of the
    month (None without any) and aren't part of the margin.
    """

    id: str
    slug: str
    name: str
    segment: str
    tier: str
    is_active: bool
    revenue: Decimal
    mrr: Decimal
    costs: Costs
    margin: Decimal
    requests: int
    refused: int
    tokens: int
    completed_tasks: int
    active_users: int
    seats: int
    margin_by_driver: dict[str, Decimal]  # sensitivity to the allocation rule
    conclusion: str  # "Loses under every rule"
    reason: Reason | None  # set if margin < 0
    unnamed_tasks: int = 0  # completed requests that named no task
    sla_credits: Decimal | None = None


class SegmentMonth(Struct, frozen=True):
    """CAC, payback and LTV of a segment. `why` is set if LTV isn't estimable."""

    name: str
    accounts: int
    arpa: Decimal | None
    gross_margin: Decimal | None
    cac: Decimal | None
    payback_months: Decimal | None
    ltv: Decimal | None
    ltv_low: Decimal | None  # 90 % interval
    ltv_high: Decimal | None
    why: str
    ltv_by_churn: Decimal | None = None  # simple LTV: ARPA x gross margin / churn


class TierMonth(Struct, frozen=True):
    """The price of a tier: cost, refusals and delay of its guardrails, beside its margin."""

    name: str
    tenants: int
    requests: int
    guardrails: Decimal
    per_request: Decimal | None
    refused_share: Decimal | None
    milliseconds: Decimal | None  # added to a request by guardrails
    gross_margin: Decimal | None
    confirmed_blocks: int
    false_blocks: int
    per_prevented_harm: Decimal | None


class SystemMonth(Struct, frozen=True):
    """A feature of a tenant's AI system. `cost` is of all attempts, `per_task` per completed task."""

    tenant: str  # slug
    system: str
    feature: str
    attempts: int
    completed_tasks: int
    cost: Decimal
    per_task: Decimal | None
    p50: Decimal | None  # cost of a request
    p95: Decimal | None
    p99: Decimal | None
    unnamed_tasks: int = 0  # see TenantMonth


class FeatureAdoption(Struct, frozen=True):
    """Adoption of a feature, counted on pseudonyms. `retained` refers to starters three months ago."""

    feature: str
    eligible: int
    activated: int
    weekly: int
    monthly: int
    stickiness: Decimal | None  # weekly ÷ monthly
    retained: Decimal | None


class Cohort(Struct, frozen=True):
    """Users who started in `month`, and the share still active in each later month."""

    month: str
    users: int
    retained: list[Decimal]


# ---- reconciliation


class ReconciledModel(Struct, frozen=True):
    """A model's computed cost (usage x prices) and invoiced cost; residual = invoiced - computed."""

    provider: str
    model: str
    computed: Decimal
    invoiced: Decimal
    residual: Decimal


class Cause(Struct, frozen=True):
    """A part of the residual: "unmetered calls", "price differences", …, "unexplained"."""

    name: str
    amount: Decimal


class ReconciledDay(Struct, frozen=True):
    """A model on a day, or in the whole month if `day` is "": some invoices name no day.

    `causes` are those with an amount; they add up to invoiced - computed.
    """

    provider: str
    model: str
    day: str
    computed: Decimal
    invoiced: Decimal
    causes: list[Cause]


class DayResidual(Struct, frozen=True):
    """The residual of a day. `day` is "" for charges of the whole month."""

    day: str
    amount: Decimal


class Reconciliation(Struct, frozen=True):
    """The reconciliation of a month. Causes add up to the residual; `share` is residual ÷ invoiced.

    `model_days` is empty in reviews of earlier versions of Meridian.
    """

    models: list[ReconciledModel]
    causes: list[Cause]
    days: list[DayResidual]
    computed: Decimal
    invoiced: Decimal
    residual: Decimal
    share: Decimal | None
    limit: Decimal  # 0.02
    model_days: list[ReconciledDay] = []


class Pool(Struct, frozen=True):
    """A pool of shared cost: allocated + residue = total."""

    name: str
    total: Decimal
    allocated: Decimal
    residue: Decimal


# ---- before the first review


class EarlierMonth(Struct, frozen=True):
    """The margin of each tenant by id, in a month that no review closed."""

    month: str
    margins: dict[str, Decimal]


class EarlierMonths(Struct, frozen=True):
    """The months before the first closed one, in order.

    `why` states why there are no earlier ones, such as "June 2025 has no invoices".
    """

    months: list[EarlierMonth]
    why: str


# ---- the review


class ReviewFacts(Struct, frozen=True):
    """All figures of one month.

    `earlier` is set only in the first closed month, and `unpriced` only if usage had no price.
    """

    month: str  # "2026-10"
    currency: str
    operator: str
    inputs: list[Input]
    rates: list[RateUsed]
    formulas: list[FormulaUsed]
    rules: list[RuleUsed]
    waterfall: Waterfall
    mrr: MrrBridge
    accounts: AccountCounts
    ratios: Ratios
    requests: int
    tokens: int
    events: int
    tenants: list[TenantMonth]
    segments: list[SegmentMonth]
    tiers: list[TierMonth]
    systems: list[SystemMonth]
    adoption: list[FeatureAdoption]
    cohorts: list[Cohort]
    reconciliation: Reconciliation
    pools: list[Pool]
    version: int = VERSION
    earlier: EarlierMonths | None = None
    unpriced: list[UnpricedInMonth] | msgspec.UnsetType = msgspec.UNSET

    @property
    def without_price(self) -> list[str]:
        """Sentences about usage without a price, one for each model."""
        return [
            f"{plural(each.requests, 'request')} and {plural(each.tokens, 'token')} of {each.model}"
            f" ({each.provider or 'no provider named'}) have no price. No figure has their cost."
            for each in self.unpriced or ()
        ]


class TaskCost(Struct, frozen=True):
    """Cost per completed task of an AI system, over all its features."""

    tenant: str
    system: str
    per_task: Decimal


class Headline(Struct, frozen=True):
    """The figures of a month that pages of other months show, stored beside its facts."""

    month: str
    currency: str
    waterfall: Waterfall
    mrr: MrrBridge
    accounts: AccountCounts
    ratios: Ratios
    tasks: list[TaskCost]
    residual_share: Decimal | None


def encode(facts: Struct) -> dict[str, Any]:
    """Encode as JSON values. Decimals become strings."""
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    return plain


def decode(plain: Any) -> ReviewFacts:
    """Decode the result of `encode`. Raises msgspec.ValidationError."""
    return msgspec.convert(plain, ReviewFacts)
