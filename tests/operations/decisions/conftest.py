"""Machines with keys that request decisions."""

import contextlib
import http.client
import json
import os
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bench.client import serving_console
from governance.app.factory import connect
from governance.foundation.api_keys import actions as api_keys
from governance.foundation.tenants import queries as directory
from governance.kernel import clock
from governance.kernel.data import db, tenant_revision
from governance.kernel.data.db import session
from governance.operations.decisions.app import FLAGS
from governance.operations.rollouts import queries as rollouts
from governance.operations.rollouts.ladders import LADDERS
from governance.operations.rollouts.models import Rollout
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.operations.systems.models import AISystem, SystemFeature
from tests import make
from tests.postgres_cluster import Cluster


class Product:
    """An AI product that requests decisions through the front door, as any OFREP client does."""

    def __init__(self, app: Any, key: str) -> None:
        self.client, self.key = app.test_client(), key

    def ask(
        self,
        flag: str | None,
        *,
        then: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Any:
        body = {"context": {"targetingKey": "user-1", **context}}
        return self.send(
            f"{FLAGS}/{flag}" if flag else FLAGS, json.dumps(body), then=then, headers=headers
        )

    def send(
        self,
        path: str,
        body: str | bytes,
        *,
        then: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Any:
        given = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        reply = self.client.post(path, data=body, headers=given)
        assert reply.status_code == then, (
            f"{reply.status_code}, expected {then}: {reply.text[:400]}"
        )
        return reply

    def value(self, flag: str, **context: Any) -> Any:
        return self.ask(flag, **context).get_json()["value"]


def register_system(
    key: str = "claims-triage", lane: str = "high_risk", slug: str = "acme"
) -> AISystem:
    with make.acting("admin", slug):
        made = systems.register(
            key=key,
            stage="live",
            name=key.replace("-", " ").title(),
            lane=lane,
            purpose="Sorts claims.",
            owner_id=None,
        )
        session().flush()
        session().expunge(made)
        return made


def create_key(slug: str = "acme", scopes: tuple[str, ...] = ("flags:read",), **given: Any) -> str:
    with make.acting("admin", slug):
        return api_keys.create(given.pop("name", "claims service"), scopes, **given)[1]


def add_feature(system: str, key: str, slug: str = "acme") -> SystemFeature:
    with make.acting("admin", slug):
        made = systems.add_feature(register.system(system), key=key, fallback="A person does it")
        session().flush()
        session().expunge(made)
        return made


def serve_rollout(
    feature: SystemFeature, position: int, state: str = "running", slug: str = "acme"
) -> None:
    """Advance the rollout of 2026.12.0 to this stage of the standard ladder."""
    with make.acting("admin", slug):
        query = select(Rollout).where(Rollout.feature_id == feature.id)
        row = session().scalars(query).one_or_none() or Rollout(
            number=rollouts.next_number(),
            system_id=feature.system_id,
            feature_id=feature.id,
            change="model",
            release="2026.12.0",
            previous="2026.11.2",
            summary="Cites the clause.",
            system_version=1,
            risk_class="standard",
            ladder=[stage.plain() for stage in LADDERS["standard"]],
            rollback_plan="Serve 2026.11.2 again.",
            on_failure="halt",
            started_at=clock.now(),
        )
        row.position, row.state = position, state
        session().add(row)
        session().flush()
        tenant_revision.advance()


@pytest.fixture
def triage(database) -> AISystem:
    return register_system()


@pytest.fixture
def product_client(app, triage) -> Product:
    return Product(app, create_key())


# ---- two real workers


@pytest.fixture(scope="module")
def cluster(server_folder):
    made = Cluster(server_folder / "pg")
    yield made
    with contextlib.suppress(subprocess.CalledProcessError):
        made.stop()


@pytest.fixture(scope="module")
def own_settings(app, cluster, settings, tmp_path_factory):
    """Return the settings of an installation on that server."""
    var = tmp_path_factory.mktemp("following")
    (var / "kek.key").write_bytes(settings.kek)
    (var / "secret.key").write_bytes(settings.secret_key)
    return replace(
        settings,
        database_url=cluster.server.app_url,
        owner_database_url=cluster.server.owner_url,
        var=var,
        storage_url=f"file:{var / 'objects'}",
    )


@pytest.fixture(scope="module")
def served_tenant(own_settings):
    """Serve acme, with a system and its key, by two web workers. Yield the port and the key."""
    directory.forget()
    connect(own_settings)
    make.create_world()
    register_system("support-assistant", "standard")
    token = create_key(name="support service")
    environment = {
        **os.environ,
        "GOVERNANCE_DEMO": "1",
        "GOVERNANCE_VAR": str(own_settings.var),
        "GOVERNANCE_PUBLIC_URL": "http://127.0.0.1",
        "DATABASE_URL": own_settings.database_url,
        "GOVERNANCE_WEB_WORKERS": "2",
    }
    with serving_console(environment, own_settings.var / "web.log", workers=2) as (port, _):
        yield port, token


@pytest.fixture
def installation(served_tenant, own_settings, settings, isolated):
    """Connect this process to the same database, without an outer transaction.

    The workers must see its changes.
    """
    directory.forget()
    connect(own_settings)
    yield served_tenant
    db.engine().dispose()
    directory.forget()
    connect(settings)


class Connection:
    """A kept-alive connection, which stays with one of the workers."""

    def __init__(self, port: int, token: str) -> None:
        self.connection, self.token = (
            http.client.HTTPConnection("127.0.0.1", port, timeout=60),
            token,
        )

    def ask(self, flag: str, **context: str) -> tuple[int, dict]:
        body = json.dumps({"context": {"targetingKey": "user-1", **context}})
        self.connection.request(
            "POST", f"{FLAGS}/{flag}", body, {"Authorization": f"Bearer {self.token}"}
        )
        reply = self.connection.getresponse()
        return reply.status, json.loads(reply.read())


def open_connections(installation, count: int = 12) -> list[Connection]:
    """Open `count` connections, enough for both workers to have some."""
    opened = [Connection(*installation) for _ in range(count)]
    for line in opened:
        assert line.ask("switch.support-assistant")[0] == 200
    return opened
