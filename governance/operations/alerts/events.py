"""Events that alerts publish for the features above them.

Each event is published in the transaction of its change. The rows are read by queries.alert and
queries.exhaustion.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class AlertFired(Event):
    """An alert fired, or escalated from a ticket to a page."""

    alert_id: UUID
    objective_id: UUID
    severity: Literal["page", "ticket"]
    at: datetime
    is_escalation: bool


@dataclass(frozen=True, slots=True)
class AlertAcknowledged(Event):
    """A person acknowledged an alert."""

    alert_id: UUID
    objective_id: UUID
    person_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertResolved(Event):
    """An alert resolved, because the burn stopped or its objective was retired."""

    alert_id: UUID
    objective_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class BudgetExhausted(Event):
    """The error budget of an objective's full window is exhausted."""

    exhaustion_id: UUID
    objective_id: UUID
    at: datetime
