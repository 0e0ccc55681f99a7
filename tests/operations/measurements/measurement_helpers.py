"""Indicators and minutes, created by the product's own actions."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from governance.foundation.api_keys import actions as keys
from governance.kernel.data.db import session
from governance.operations.measurements import actions
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests import make

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # The time at which these tests run.
MINUTE = timedelta(minutes=1)


def system_of(key: str = "claims-triage") -> AISystem:
    """Return the acting tenant's system, registered if it isn't there."""
    found = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
    return found or systems.register(
        key=key, stage="live", name=key, lane="standard", purpose="Sorts claims.", owner_id=None
    )


def define(key: str = "availability", kind: str = "ratio", **given: Any) -> UUID:
    """Define an indicator of the acting tenant."""
    values: dict[str, Any] = {"kind": kind, "name": key.title(), "system_id": system_of().id}
    if kind == "threshold":
        values |= {"bound": Decimal("0.5"), "bound_unit": "s"}
    if kind == "downtime":
        values |= {"min_requests": 3}
    return actions.define(key=key, **values | given).id


def defined(
    key: str = "availability", kind: str = "ratio", slug: str = "acme", **given: Any
) -> UUID:
    """Define an indicator in a transaction of its own."""
    with make.acting("compliance_officer", slug):
        return define(key, kind, **given)


class Machine:
    """A program with an API key."""

    def __init__(
        self,
        app: Flask,
        scopes: Sequence[str] = ("indicators:write",),
        slug: str = "acme",
        name: str = "exporter",
        system_id: UUID | None = None,
    ) -> None:
        with make.acting("admin", slug):
            made, self.secret = keys.create(name, scopes, system_id=system_id)
            self.key_id = made.id
        self.client = app.test_client()

    def post(
        self,
        rows: Sequence[Any] = (),
        *,
        then: int = 200,
        key: str | None = None,
        data: bytes | None = None,
        kind: str = "application/json",
        encoding: str | None = None,
        **parts: Any,
    ) -> TestResponse:
        """Send a batch. `data` is sent as the body as it is."""
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": kind}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"Content-Encoding": encoding} if encoding else {}
        body = json.dumps({"rows": rows} | parts).encode() if data is None else data
        reply = self.client.post("/api/v1/indicators", headers=headers, data=body)
        assert reply.status_code == then, reply.text
        assert then == 200 or reply.mimetype == "application/problem+json"
        return reply

    def send(self, rows: Sequence[Any] = (), **options: Any) -> dict[str, Any]:
        """Send a batch and return the decoded answer."""
        found: dict[str, Any] = self.post(rows, **options).json
        return found


__all__ = ["MINUTE", "NOW", "Machine", "define", "defined", "system_of"]
