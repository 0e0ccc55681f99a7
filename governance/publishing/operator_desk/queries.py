"""Queries for the operator's page of a tenant: counts and states, without the tenant's content.

tenant_facts(tenant)      usage, health and people of a tenant, read in that tenant
impact(tenant)            what a suspension affects: (figure, words) pairs
needs_second(tenant)      whether its tier requires two people for every change
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from governance.assurance.evidence.jobs import VERIFY
from governance.assurance.incidents.models import Incident
from governance.economics.usage.queries import Days, usage_by_day
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.api_keys.queries import is_live
from governance.foundation.logbook.log_health import LogHealth, log_health
from governance.foundation.people.models import Membership
from governance.foundation.people.queries import live_sessions
from governance.foundation.support_access import queries as support
from governance.foundation.support_access.approval_kinds import level_words, scope_words
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import any_tenant_by_slug, operator_time_zone
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import session, within
from governance.kernel.errors import NotFound
from governance.kernel.formatting import thousands
from governance.kernel.manifest import installed
from governance.kernel.months import Month
from governance.kernel.safety.access import ROLE_NAMES, TENANT_ROLES
from governance.kernel.work.jobs import JobRun
from governance.operations.alerts.models import Alert
from governance.operations.policies.queries import current_policy
from governance.operations.switches.models import Stop
from governance.operations.systems.models import AISystem

MAX_GRANTS = 8


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """The requests and tokens of one month."""

    month: Month
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """The counts and states of one tenant.

    `roles` are (name of the role, members). `verified` is the Monday of the last week in which
    every stored file was hashed, or None before the first. `consumers` are products that asked for
    decisions. They are counted with the systems' switches.
    """

    tier: str
    two_people: bool
    roles: Sequence[tuple[str, int]]
    sessions: int
    keys: int
    systems: int
    stops: int
    firing: int
    incidents: int
    log: LogHealth | None
    verified: date | None
    usage: Sequence[MonthUsage]

    @property
    def people(self) -> int:
        return sum(count for _name, count in self.roles)


def desk_tenant(slug: str) -> Tenant:
    """Return the tenant of an operator's page, in any state. Raises NotFound."""
    found = any_tenant_by_slug(slug)
    if found is None:
        raise NotFound("This tenant doesn't exist.")
    return found


def tenant_facts(tenant: Tenant) -> TenantFacts:
    """Return the facts that the page shows, in five statements for any tenant."""
    month = Month.of(clock.now().astimezone(ZoneInfo(operator_time_zone())).date())
    with within(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        policy = current_policy()
        sessions = len(live_sessions())
        roles, (keys, systems, stops, firing, incidents) = _roles(), _counts()
        return TenantFacts(
            policy.tier.name,
            policy.tier.four_eyes,
            roles,
            sessions,
            keys,
            systems,
            stops,
            firing,
            incidents,
            log_health(),
            _verified(tenant.slug),
            _usage((month.plus(-1), month)),
        )


def _roles() -> list[tuple[str, int]]:
    query = select(Membership.role, func.count()).where(Membership.ended_at.is_(None))
    found = {row[0]: row[1] for row in session().execute(query.group_by(Membership.role))}
    return [(ROLE_NAMES[role], found[role]) for role in TENANT_ROLES if role in found]


def _counts() -> Sequence[int]:
    """Return the numbers of API keys, AI systems, active stops, firing alerts and open incidents."""
    parts = (
        select(func.count()).select_from(ApiKey).where(is_live(clock.now())),
        select(func.count()).select_from(AISystem).where(AISystem.retired_at.is_(None)),
        select(func.count()).select_from(Stop).where(Stop.restarted_at.is_(None)),
        select(func.count()).select_from(Alert).where(Alert.state != "resolved"),
        select(func.count()).select_from(Incident).where(Incident.closed_at.is_(None)),
    )
    return session().execute(select(*(each.scalar_subquery() for each in parts))).one()


def _verified(slug: str) -> date | None:
    newest = select(func.max(JobRun.period)).where(JobRun.job == VERIFY, JobRun.scope == slug)
    week = session().scalar(newest)
    return date.fromisoformat(week) if week else None


def _usage(months: Sequence[Month]) -> list[MonthUsage]:
    days = usage_by_day(Days(months[0].first_day, months[-1].last_day))
    return [
        MonthUsage(
            month,
            sum(requests for day, requests, _tokens in days if _is_in(day, month)),
            sum(tokens for day, _requests, tokens in days if _is_in(day, month)),
        )
        for month in months
    ]


def _is_in(day: date, month: Month) -> bool:
    return month.first_day <= day <= month.last_day


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """A grant or request of an operator, as the tenant's page lists it."""

    id: UUID
    name: str
    reason: str
    opens: str
    level: str
    status: str
    ends_at: datetime | None
    is_own: bool
    entrance: str  # The endpoint that the tenant opens with.


def grants(tenant: Tenant) -> list[ShownGrant]:
    """List the newest requests for access to this tenant, of all operators."""
    me = current.person_id()
    with within(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        return [
            ShownGrant(
                each.id,
                each.name,
                each.reason,
                scope_words(each),
                level_words(each),
                each.status,
                each.ends_at,
                each.person_id == me,
                _entrance(each.feature),
            )
            for each in support.newest(limit=MAX_GRANTS)
        ]


def _entrance(feature: str) -> str:
    endpoints = [
        item.endpoint
        for each in installed()
        for item in each.navigation
        if item.audience == "tenant" and each.name == (feature or "overview")
    ]
    return endpoints[0]


def needs_second(tenant: Tenant) -> bool:
    """Return whether a second operator must approve a change of this tenant's state."""
    with within(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        return current_policy().tier.four_eyes


def impact(facts: TenantFacts) -> list[tuple[str, str]]:
    """Return the four figures of what a suspension affects."""
    return [
        (thousands(facts.people), "person" if facts.people == 1 else "people"),
        (thousands(facts.sessions), "session ends" if facts.sessions == 1 else "sessions end"),
        (
            thousands(facts.keys),
            "API key is refused" if facts.keys == 1 else "API keys are refused",
        ),
        (thousands(facts.systems), "AI system stops" if facts.systems == 1 else "AI systems stop"),
    ]


def has_log_trouble(facts: TenantFacts) -> bool:
    return facts.log is not None and not facts.log.ok


def since(tenant: Tenant) -> datetime | None:
    """Return since when the tenant is suspended."""
    return tenant.suspended_at if tenant.status != "active" else None
