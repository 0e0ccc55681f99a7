"""The first minutes of indicators and the tenant's time zones, in one statement.

A window that starts before the first minute of an indicator is not full yet. The time before isn't
a gap, since nothing was measured then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    String,
    Uuid,
    cast,
    func,
    null,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.sql.selectable import LateralFromClause

from governance.foundation.people.queries import names
from governance.foundation.tenants.models import TenantTimeZone
from governance.kernel import current
from governance.kernel.data.db import among, session
from governance.kernel.errors import NotFound
from governance.kernel.months import ZonePeriod
from governance.operations.maintenance.models import Exclusion
from governance.operations.measurements.models import DAYS, MINUTES, Indicator
from governance.operations.objectives.models import Objective


@dataclass(frozen=True, slots=True)
class Horizons:
    """The first minute by indicator (absent without data), and the tenant's `zones`.

    If data begins long before any window, `first` is the start of that day.
    """

    first: dict[UUID, datetime]
    zones: Sequence[ZonePeriod]


def horizons(indicator_ids: Collection[UUID], windows_since: datetime) -> Horizons:
    """Read the first minutes of these indicators and the tenant's time zones.

    `windows_since` is before every window: only a start after it is needed to the minute.
    """
    tenant_id = current.actor().tenant_id
    day, minute, first = _first_minute(tenant_id, windows_since)
    beginnings = (
        select(Indicator.id, first, cast(null(), String))
        .join_from(Indicator, day, true())
        .outerjoin(minute, true())
        .where(among(Indicator.id, indicator_ids), Indicator.tenant_id == tenant_id)
    )
    zones = select(cast(null(), Uuid), TenantTimeZone.since, TenantTimeZone.zone).where(
        TenantTimeZone.tenant_id == tenant_id
    )
    rows = session().execute(union_all(beginnings, zones)).all()
    return Horizons(
        {row[0]: row[1] for row in rows if row[0] is not None},
        sorted(ZonePeriod(row[1], row[2]) for row in rows if row[0] is None),
    )


@dataclass(frozen=True, slots=True)
class ObjectiveFound:
    """An objective with its indicator and its horizons.

    `names` are of its owner and of the people who approved exclusions.
    """

    objective: Objective
    indicator: Indicator
    begins: Horizons
    names: dict[UUID, str]


def objective_with_horizons(objective_id: UUID) -> ObjectiveFound:
    """Return an objective, retired or not, with its page's first data. Runs one statement."""
    tenant_id = current.actor().tenant_id
    day, minute, first = _first_minute(tenant_id)
    pair = func.json_build_array(TenantTimeZone.since, TenantTimeZone.zone)
    zones = select(func.json_agg(pair)).where(TenantTimeZone.tenant_id == tenant_id)
    query = (
        select(
            Objective, Indicator, first, zones.scalar_subquery(), _people(objective_id, tenant_id)
        )
        .join(Indicator, Indicator.id == Objective.indicator_id)
        .outerjoin(day, true())
        .outerjoin(minute, true())
        .where(Objective.id == objective_id)
    )
    row = session().execute(query).one_or_none()
    if row is None:
        raise NotFound("This objective doesn't exist, or you don't have access to it.")
    periods = sorted(ZonePeriod(datetime.fromisoformat(at), zone) for at, zone in row[3])
    begins = {row[1].id: row[2]} if row[2] is not None else {}
    called = names(map(UUID, row[4] or ()))
    return ObjectiveFound(row[0], row[1], Horizons(begins, periods), called)


def _people(objective_id: UUID, tenant_id: UUID) -> Any:
    approver = Exclusion.approved_by
    people = union(
        select(Objective.owner_id.label("id")).where(Objective.id == objective_id),
        select(approver).where(Exclusion.tenant_id == tenant_id),
    ).subquery("people_named")
    query = select(func.json_agg(people.c.id))
    return query.where(people.c.id.is_not(None)).scalar_subquery()


def _first_minute(
    tenant_id: UUID, since: datetime | None = None
) -> tuple[LateralFromClause, LateralFromClause, Any]:
    """Return two lateral selects for each Indicator, and the first minute from both.

    The minute is read for days that end after `since`. The day determines the one partition with
    the minute. Minutes may be deleted; days stay.
    """
    day = (
        select(DAYS.c.at)
        .where(DAYS.c.tenant_id == tenant_id, DAYS.c.indicator_id == Indicator.id)
        .order_by(DAYS.c.at)
        .limit(1)
        .lateral("day")
    )
    minutes = (
        select(MINUTES.c.at)
        .where(
            MINUTES.c.tenant_id == tenant_id,
            MINUTES.c.indicator_id == Indicator.id,
            MINUTES.c.at >= day.c.at,
            MINUTES.c.at < day.c.at + timedelta(days=1),
        )
        .order_by(MINUTES.c.at)
        .limit(1)
    )
    if since is not None:
        minutes = minutes.where(day.c.at > since - timedelta(days=1))
    minute = minutes.lateral("minute")
    return day, minute, func.coalesce(minute.c.at, day.c.at)
