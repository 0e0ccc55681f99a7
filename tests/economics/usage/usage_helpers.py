"""Usage events as AI products send them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from governance.economics.usage.event_store import rows_of
from governance.economics.usage.event_stores import store
from governance.economics.usage.models import DAYS, EVENTS
from governance.economics.usage.postgresql_events import PostgresqlEvents
from governance.economics.usage.usage_events import BUCKETS, OUTCOMES
from governance.foundation.api_keys import actions as keys
from governance.kernel.data.db import session
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests import make

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # The time at which these tests run.
SYSTEM = "claims-triage"
# Runs tests of what PostgreSQL and ClickHouse both promise.
EACH_STORE = pytest.mark.usefixtures("each_store")


def register(key: str = SYSTEM, slug: str = "acme") -> UUID:
    """Register a system of the tenant, if it isn't there."""
    with make.acting("compliance_officer", slug):
        found = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
        made = found or systems.register(
            key=key, stage="live", name=key, lane="standard", purpose="Sorts claims.", owner_id=None
        )
        return made.id


def at(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def event(number: int = 1, **changed: Any) -> dict[str, Any]:
    """Return an event. `...` omits a field."""
    values = {
        "id": f"req-{number}",
        "at": at(NOW - timedelta(minutes=number)),
        "system": SYSTEM,
        "model": "claude-sonnet-4-5",
        "outcome": "success",
        "tokens": {"input": 100, "cache_read": 40, "output": 10},
    } | changed
    return {name: value for name, value in values.items() if value is not ...}


# Events of some days, with repeated ids.
EVENTS_OF_DAYS = st.builds(
    lambda n, minutes, outcome, model, tokens: event(
        n,
        at=at(NOW - timedelta(minutes=minutes)),
        outcome=outcome,
        model=model,
        tokens=dict(zip(BUCKETS, tokens, strict=True)),
    ),
    st.integers(0, 30),
    st.integers(0, 3 * 1440),
    st.sampled_from(OUTCOMES),
    st.sampled_from(["one", "two"]),
    st.tuples(*[st.integers(0, 9)] * len(BUCKETS)),
)


def answer(**counts: Any) -> dict[str, Any]:
    return {"accepted": 0, "duplicate": 0, "rejected": 0, "errors": []} | counts


class Product:
    """An AI product with an API key."""

    def __init__(
        self,
        app: Flask,
        scopes: Sequence[str] = ("usage:write",),
        slug: str = "acme",
        system_id: UUID | None = None,
        name: str = "product",
    ) -> None:
        with make.acting("admin", slug):
            _made, self.secret = keys.create(name, scopes, system_id=system_id)
        self.client = app.test_client()

    def post(
        self,
        events: Sequence[Any] = (),
        *,
        then: int = 200,
        key: str | None = None,
        data: bytes | None = None,
        kind: str = "application/json",
        encoding: str | None = None,
    ) -> TestResponse:
        """Send a batch. `data` is sent as the body as it is."""
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": kind}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"Content-Encoding": encoding} if encoding else {}
        body = json.dumps({"events": events}).encode() if data is None else data
        reply = self.client.post("/api/v1/usage", headers=headers, data=body)
        assert reply.status_code == then, reply.text
        assert then == 200 or reply.mimetype == "application/problem+json"
        return reply

    def send(self, events: Sequence[Any] = (), **options: Any) -> dict[str, Any]:
        """Send a batch and return the decoded answer."""
        found: dict[str, Any] = self.post(events, **options).json
        return found


def stored(slug: str = "acme") -> list[Any]:
    """Return the events of the tenant, by id."""
    with make.acting("admin", slug):
        if not isinstance(store(), PostgresqlEvents):
            return _stored_in_clickhouse()
        return list(session().execute(select(EVENTS).order_by(EVENTS.c.event_id)))


def _stored_in_clickhouse() -> list[Any]:
    """Return the rows of ClickHouse, converted by PostgreSQL to the same types."""
    kinds = {"Uuid": "uuid", "DateTime": "timestamptz", "Integer": "int", "Text": "text"}
    types = {each.name: kinds[type(each.type).__name__] for each in EVENTS.columns}
    columns = ", ".join(
        f"nullIf({name}, '')" if kind == "text" else name for name, kind in types.items()
    )
    query = (
        f"SELECT {columns} FROM usage_events WHERE tenant_id = {{tenant:UUID}} ORDER BY event_id"
    )
    rows = rows_of(types, store().database.rows(query))
    return list(session().execute(text(rows.sql), rows.values))


def days(slug: str = "acme") -> list[Any]:
    """Return the counts of its days."""
    with make.acting("admin", slug):
        return list(session().execute(select(DAYS).order_by(*DAYS.primary_key.columns)))
