"""The data of an exclusion that a person enters, and its checks."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.errors import Invalid
from governance.kernel.intervals import Span
from governance.operations.maintenance.models import CATEGORIES
from governance.operations.maintenance.recurrence import BadRule, Recurrence, check_rule
from governance.operations.measurements import queries as measurements
from governance.operations.systems import queries as systems

MAX_LENGTH = timedelta(days=7)  # Maximum of one occurrence
MAX_AHEAD, MAX_BACK = timedelta(days=2 * 366), timedelta(days=400)
MAX_TITLE_LENGTH, MAX_REASON_LENGTH = 120, 2000


@dataclass(frozen=True, slots=True)
class Plan:
    """The data of an exclusion before its checks. Instants are time zone aware."""

    title: str
    category: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    system_id: UUID | None = None
    indicator_id: UUID | None = None
    rrule: str | None = None
    repeat_until: datetime | None = None
    is_customer_visible: bool = True


TIMES = ("category", "system_id", "indicator_id", "starts_at", "ends_at", "rrule", "repeat_until")


def check(plan: Plan) -> tuple[Plan, Recurrence]:
    """Return the plan with its rule in normal form, and its series. Raises Invalid."""
    title, reason = " ".join(plan.title.split()), plan.reason.strip()
    if not title or len(title) > MAX_TITLE_LENGTH:
        raise Invalid(f"Enter a title of 1 to {MAX_TITLE_LENGTH} characters.", field="title")
    if plan.category not in CATEGORIES:
        raise Invalid("Choose a category.", field="category")
    if not reason or len(reason) > MAX_REASON_LENGTH:
        raise Invalid("Enter a reason. It is shown to the approver and kept.", field="reason")
    _check_times(plan.starts_at, plan.ends_at)
    system_id = _check_scope(plan.system_id, plan.indicator_id)
    series = _series(plan)
    checked = replace(
        plan,
        title=title,
        reason=reason,
        system_id=system_id,
        rrule=series.rule,
        repeat_until=series.until,
    )
    return checked, series


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    now = clock.now()
    if any(each.second or each.microsecond for each in (starts_at, ends_at)):
        raise Invalid("Enter whole minutes.", field="starts_at")
    if ends_at <= starts_at:
        raise Invalid("Choose an end after the start.", field="ends_at")
    if ends_at - starts_at > MAX_LENGTH:
        raise Invalid("An exclusion lasts 7 days at most. Split it.", field="ends_at")
    if starts_at > now + MAX_AHEAD:
        raise Invalid("Choose a start within two years.", field="starts_at")
    if starts_at < now - MAX_BACK:
        raise Invalid("Choose a start within the last 400 days.", field="starts_at")


def _check_scope(system_id: UUID | None, indicator_id: UUID | None) -> UUID | None:
    """Return the id of the system, by default the indicator's. Raises Invalid if they differ."""
    if system_id is not None:
        systems.system(system_id)
    if indicator_id is None:
        return system_id
    indicator = measurements.indicator(indicator_id)
    if system_id not in {None, indicator.system_id}:
        raise Invalid("That indicator belongs to another system.", field="indicator_id")
    return indicator.system_id


def _series(plan: Plan) -> Recurrence:
    first, zone = Span(plan.starts_at, plan.ends_at), tenant_zone()
    if not plan.rrule:
        return Recurrence(first, zone)
    try:
        return check_rule(plan.rrule, first, zone, plan.repeat_until)
    except BadRule as wrong:
        raise Invalid(str(wrong), field="rrule") from wrong


def tenant_zone() -> str:
    """Return the acting tenant's time zone, also for jobs and commands."""
    tenant = directory.tenant_by_id(current.actor().tenant_id)
    return tenant.time_zone if tenant else "UTC"
