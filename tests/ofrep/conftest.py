"""Machines with keys, asking what is allowed."""

import json
from typing import Any

import pytest

from governance.api_keys import actions as api_keys
from governance.kernel.db import session
from governance.ofrep.app import FLAGS
from governance.systems import actions as systems
from governance.systems.models import AISystem
from tests import make


class Product:
    """An AI product that asks through the front door, as any OFREP client does."""

    def __init__(self, app: Any, key: str) -> None:
        self.client, self.key = app.test_client(), key

    def ask(self, flag: str | None, *, then: int = 200, headers: dict[str, str] | None = None, **context: Any) -> Any:
        body = {"context": {"targetingKey": "user-1", **context}}
        return self.send(f"{FLAGS}/{flag}" if flag else FLAGS, json.dumps(body), then=then, headers=headers)

    def send(self, path: str, body: str | bytes, *, then: int = 200, headers: dict[str, str] | None = None) -> Any:
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **(headers or {})}
        reply = self.client.post(path, data=body, headers=given)
        assert reply.status_code == then, f"{reply.status_code}, expected {then}: {reply.text[:400]}"
        return reply

    def value(self, flag: str, **context: Any) -> Any:
        return self.ask(flag, **context).get_json()["value"]


def system(key: str = "claims-triage", lane: str = "high_risk", slug: str = "acme") -> AISystem:
    with make.acting("admin", slug):
        made = systems.register(key=key, name=key.replace("-", " ").title(), lane=lane, purpose="Sorts claims.", owner_id=None)
        session().flush()
        session().expunge(made)
        return made


def key(slug: str = "acme", scopes: tuple[str, ...] = ("flags:read",), **given: Any) -> str:
    with make.acting("admin", slug):
        return api_keys.make(given.pop("name", "claims service"), scopes, **given)[1]


@pytest.fixture
def triage(database) -> AISystem:
    return system()


@pytest.fixture
def product(app, triage) -> Product:
    return Product(app, key())
