"""Objectives and their minutes, for tests."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.operations.maintenance.models import Exclusion
from governance.operations.measurements import actions as measuring
from governance.operations.objectives import actions
from governance.operations.objectives.models import Objective
from governance.operations.systems import queries as systems
from governance.operations.systems.actions import register


def define(key: str = "triage-availability", **changes: Any) -> UUID:
    """Define an indicator of a system, registered if it isn't there. Return its id."""
    known = {each.key: each.id for each in systems.live_systems()}
    system_id = (
        known.get("claims-triage")
        or register(
            key="claims-triage",
            name="Claims triage",
            lane="standard",
            purpose="p",
            owner_id=None,
            stage="live",
        ).id
    )
    values: dict[str, Any] = {
        "key": key,
        "name": f"Indicator {key}",
        "system_id": system_id,
        "kind": "ratio",
        "unit": "requests",
    }
    return measuring.define(**values | changes).id


def objective(indicator_id: UUID | None = None, **changes: Any) -> Objective:
    """Create an objective of 99.5% over 30 days; without an indicator, of a new one."""
    values: dict[str, Any] = {
        "name": "Claims triage · Availability",
        "indicator_id": indicator_id or define(),
        "target": Decimal("0.995"),
    }
    return actions.create(**values | changes)


def minutes_of(
    indicator_id: UUID, span: Span, *, good: int = 10, total: int = 10, every: int = 1
) -> Iterable[tuple[UUID, datetime, int, int]]:
    """Yield a row for each minute of the span."""
    for number in range(0, span.minutes, every):
        yield indicator_id, span.start + number * MINUTE, good, total


def before(at: datetime, **ago: float) -> Span:
    """Return the span of that length which ends at `at`."""
    return Span(at - timedelta(**ago), at)


def exclude(span: Span, **changes) -> None:
    """Add an approved exclusion."""
    numbers = session().scalars(select(Exclusion.number)).all()
    values = {
        "number": len(numbers) + 1,
        "title": "Move of the database",
        "reason": "New version",
        "is_customer_visible": True,
        "category": "maintenance",
        "system_id": None,
        "indicator_id": None,
        "starts_at": span.start,
        "ends_at": span.end,
        "last_end": span.end,
        "time_zone": "Europe/Berlin",
        "rrule": None,
        "repeat_until": None,
        "announced_at": span.start - timedelta(days=7),
        "state": "approved",
    }
    session().add(Exclusion(**values | changes))
    session().flush()
