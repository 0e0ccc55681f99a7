"""Indicators and minutes, made by the product's own actions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.kernel.db import session
from governance.operations.measurements import actions
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests import make

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # when these tests happen
MINUTE = timedelta(minutes=1)


def system_of(key: str = "claims-triage") -> AISystem:
    """The acting tenant's system, registered when it isn't there."""
    found = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
    return found or systems.register(
        key=key, name=key, lane="standard", purpose="Sorts claims.", owner_id=None
    )


def define(key: str = "availability", kind: str = "ratio", **given: Any) -> UUID:
    """An indicator of the acting tenant."""
    values: dict[str, Any] = {"kind": kind, "name": key.title(), "system_id": system_of().id}
    if kind == "threshold":
        values |= {"bound": Decimal("0.5"), "bound_unit": "s"}
    if kind == "downtime":
        values |= {"min_requests": 3}
    return actions.define(key=key, **values | given).id


def defined(
    key: str = "availability", kind: str = "ratio", slug: str = "acme", **given: Any
) -> UUID:
    """The same in a transaction of its own."""
    with make.acting("compliance_officer", slug):
        return define(key, kind, **given)


__all__ = ["MINUTE", "NOW", "define", "defined", "system_of"]
