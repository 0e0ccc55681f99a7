"""Users and tasks of a month, counted in each customer's own tenant.

Pseudonyms never leave the tenant.

read(month)                    each customer's counts, tier, tasks and cost of a request
adoption_of(users, seats)      adoption of each feature, over all customers
cohorts_of(users, month)       cohorts of the last twelve months, over all customers

Counts of customers add up, since a pseudonym belongs to only one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from governance.economics.formulas import adoption
from governance.economics.formulas.estimates import Estimate, NotEstimable
from governance.economics.prices import queries as prices
from governance.economics.prices.model_names import match_key
from governance.economics.prices.unit_prices import unit_prices
from governance.economics.rates import queries as rates
from governance.economics.reviews.facts.review_facts import Cohort, FeatureAdoption
from governance.economics.reviews.inputs.usage_sums import usage_sums
from governance.economics.reviews.ports import StatementCredit, sla_credits
from governance.economics.usage import completed_tasks, copying
from governance.economics.usage.active_users import ActiveUsers, active_users, cohorts
from governance.economics.usage.completed_tasks import CompletedTasks
from governance.economics.usage.feature_adoption import feature_starts
from governance.economics.usage.request_costs import UnitPrice, request_costs
from governance.foundation.tenants.queries import all_tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.months import Month, month_span
from governance.operations.policies import queries as policies

type Percentiles = tuple[Decimal | None, Decimal | None, Decimal | None]

COHORTS = 12  # months
RETENTION_MONTHS = 3  # months after the first one


@dataclass(frozen=True, slots=True)
class FeatureUsers:
    """The number of users of a feature.

    `activated` ever used it, `weekly` in the month's last seven days, `monthly` in the month.
    `started` began three months ago, and `retained` of them are still active.
    """

    activated: int
    weekly: int
    monthly: int
    started: int
    retained: int


@dataclass(frozen=True, slots=True)
class Users:
    """User counts and related readings of a customer's tenant in a month.

    `cohorts` maps a first month to the number of its users in that month and each later one.
    `percentiles` (p50, p95 and p99 of the model cost of a request) and `tasks` (completed ones) are
    by (AI system, feature). `credits` are from the customer's SLA statements of the month.
    """

    active: int
    tier: str = ""
    features: Mapping[str, FeatureUsers] = field(default_factory=dict)
    cohorts: Mapping[Month, Sequence[int]] = field(default_factory=dict)
    percentiles: Mapping[tuple[str, str], Percentiles] = field(default_factory=dict)
    tasks: Mapping[tuple[str, str], CompletedTasks] = field(default_factory=dict)
    credits: Sequence[StatementCredit] = ()


def read(month: Month) -> dict[UUID, Users]:
    """Return the counts of each active customer. Call it outside a transaction.

    Each customer is read in its own transaction, so no statement sees two of them.
    """
    with transaction(read_only=True):
        customers = [
            system_actor_in(each.id, each.slug, each.name)
            for each in all_tenants()
            if each.kind == "customer" and each.status == "active"
        ]
        end = month_span(zone_periods(), month).end
        costs = _unit_prices(month, [each.tenant_id for each in customers])
    found = {}
    for who in customers:
        with current.acting_as(who), transaction():
            completed_tasks.count(month)
        with current.acting_as(who), transaction(read_only=True):
            copying.allow_an_hour()  # percentiles read every event of the month
            found[who.tenant_id] = _here(month, end, costs[who.tenant_id])
    return found


def _unit_prices(month: Month, customers: Sequence[UUID]) -> dict[UUID, list[UnitPrice]]:
    """Return the unit prices of each customer's requests, from the operator's price book."""
    sums, converted = usage_sums(month), rates.month_rates(month)
    models = {(each.provider, each.model) for each in sums}
    book = prices.model_prices({match_key(*each) for each in models})
    return {
        each: unit_prices(
            month,
            each,
            {(one.provider, one.model) for one in sums if one.customer_id == each},
            book,
            converted,
        )
        for each in customers
    }


def _here(month: Month, end: datetime, costs: Sequence[UnitPrice]) -> Users:
    """Return the counts of the acting tenant."""
    counted = active_users(month)
    return Users(
        active=next((each.monthly for each in counted if each.system_id is None), 0),
        tier=_own_tier(end),
        features=_features(month, counted),
        cohorts=_cohorts(month),
        percentiles={
            (each.system, each.feature): (each.p50, each.p95, each.p99)
            for each in request_costs(month, costs)
            if each.system is not None and each.feature is not None
        },
        tasks=completed_tasks.completed_tasks(month),
        credits=sla_credits()(month),
    )


def _own_tier(end: datetime) -> str:
    """Return the tier in force at the month's end, or "" if the tenant never published a policy."""
    if policies.in_force(end) is None:  # the usual case, answered by one statement
        return ""
    return policies.current_policy(end).tier.name


def _features(month: Month, counted: Sequence[ActiveUsers]) -> dict[str, FeatureUsers]:
    """Return features by name. Events without a feature count for their AI system."""
    active = {(each.system, each.feature): each for each in counted if each.feature is not None}
    found = {}
    for start in feature_starts(month, after=RETENTION_MONTHS):
        here = active.get((start.system, start.feature))
        found[start.feature or start.system] = FeatureUsers(
            activated=start.activated,
            weekly=here.weekly[-1] if here else 0,
            monthly=here.monthly if here else 0,
            started=start.started,
            retained=start.retained,
        )
    return found


def _cohorts(month: Month) -> dict[Month, list[int]]:
    """Return user counts by first month: of that month and each later one, up to `month`."""
    first = month.plus(1 - COHORTS)
    found = {first.plus(n): [0] * (COHORTS - n) for n in range(COHORTS)}
    for each in cohorts(first, month):
        if each.system_id is None:
            place = next(n for n in range(COHORTS) if each.first.plus(n) == each.month)
            found[each.first][place] = each.people
    return found


def adoption_of(users: Mapping[UUID, Users], seats: Mapping[UUID, int]) -> list[FeatureAdoption]:
    """Return each feature that anyone used, the most activated first.

    All seats of a customer are eligible for the features that it uses.
    """
    features = sorted({name for each in users.values() for name in each.features})
    found = [_adoption(name, users, seats) for name in features]
    return sorted(found, key=lambda each: (-each.activated, each.feature))


def _adoption(name: str, users: Mapping[UUID, Users], seats: Mapping[UUID, int]) -> FeatureAdoption:
    mine = {key: each.features[name] for key, each in users.items() if name in each.features}
    weekly = sum(each.weekly for each in mine.values())
    monthly = sum(each.monthly for each in mine.values())
    started = sum(each.started for each in mine.values())
    retained = sum(each.retained for each in mine.values())
    return FeatureAdoption(
        feature=name,
        eligible=sum(seats.get(key, 0) for key in mine),
        activated=sum(each.activated for each in mine.values()),
        weekly=weekly,
        monthly=monthly,
        stickiness=_known(adoption.weekly_stickiness(weekly, monthly)),
        retained=_known(adoption.retained_share(started, retained)),
    )


def cohorts_of(users: Mapping[UUID, Users], month: Month) -> list[Cohort]:
    """Return the cohorts of the twelve months that end with this one, in order."""
    found = []
    for back in range(COHORTS - 1, -1, -1):
        first = month.plus(-back)
        counts = [0] * (back + 1)
        for each in users.values():
            for place, count in enumerate(each.cohorts.get(first, ())[: back + 1]):
                counts[place] += count
        if counts[0]:
            shares = [Decimal(count) / counts[0] for count in counts]
            found.append(Cohort(month=str(first), users=counts[0], retained=shares))
    return found


def _known(estimate: Estimate) -> Decimal | None:
    return None if isinstance(estimate, NotEstimable) else estimate
