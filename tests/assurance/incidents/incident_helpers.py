"""Incidents of a tenant, created by the product's own actions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from governance.assurance.incidents import actions, queries
from governance.kernel import clock
from tests import make
from tests.operations.switches import switch_helpers

TITLE = "Approvals cited a withdrawn clause"


def register_system(key: str = "claims-triage", slug: str = "acme") -> UUID:
    return switch_helpers.register_system(key, slug=slug)


def declare(
    title: str = TITLE,
    *,
    by: str = "reviewer",
    slug: str = "acme",
    at: datetime | None = None,
    severity: int = 2,
    **more: Any,
) -> UUID:
    """Declare an incident as this person, by default now."""
    with clock.frozen(at or clock.now()), make.acting(by, slug):
        return actions.declare(title, severity=severity, **more).id


def advance(incident_id: UUID, *states: str, at: datetime | None = None) -> None:
    """Move an incident through these states, all at that time."""
    with clock.frozen(at or clock.now()), make.acting("reviewer"):
        found = queries.incident(incident_id, lock=True)
        for state in states:
            actions.go_to(found, state)
