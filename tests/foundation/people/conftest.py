"""Sign-in through the front door, with a real identity provider on loopback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import provider_metadata, sign_in_state
from governance.foundation.people.models import Connection, Session
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.safety import key_encryption
from tests import make
from tests.browser import Visitor
from tests.foundation.people.hostile_idp import HostileIdP, sign_in

GROUPS = {
    "governance-admins": "admin",
    "governance-officers": "compliance_officer",
    "governance-contributors": "contributor",
    "governance-viewers": "viewer",
}


@pytest.fixture(scope="module")
def provider() -> Iterator[HostileIdP]:
    with HostileIdP.serving() as running:
        yield running


@pytest.fixture
def idp(provider: HostileIdP, database) -> HostileIdP:
    """Yield an honest provider, known to acme with its groups mapped, without cached answers."""
    provider.calm()
    provider.logouts.clear()
    provider_metadata.forget_metadata()
    connect_tenant("acme", provider)
    return provider


def connect_tenant(
    slug: str,
    idp: HostileIdP,
    group_roles: dict[str, str] | None = None,
    *,
    secret: str | None = None,
    verifies_addresses: bool = False,
) -> None:
    """Make this provider the tenant's live connection, as if its admins had changed it."""
    with current.acting_as(make.system_actor(slug)) as who, transaction():
        assert who
        live = session().scalars(select(Connection).where(Connection.state == "live")).one_or_none()
        live = live or Connection(state="live", number=1, tested_at=None, findings=[])
        live.issuer, live.client_id, live.enforced = idp.issuer, idp.client.id, True
        live.verifies_addresses = verifies_addresses
        live.group_roles = GROUPS if group_roles is None else group_roles
        live.secret = key_encryption.wrap(
            (secret or idp.client.secret).encode(), sign_in_state.secret_context(who.tenant_id)
        )
        session().add(live)
        tenant = directory.tenant_by_slug(slug)
        assert tenant
        tenants.set_domains(tenant, {f"{slug}.example"})


class Arrival:
    """A sign-in, step by step, so that a test can alter each step."""

    def __init__(self, visitor: Visitor, email: str, *, asked: str = "", **query: str) -> None:
        self.visitor, self.email, self.person = visitor, email, requests.Session()
        self.asked = asked or self._begun(**query)

    def _begun(self, **query: str) -> str:
        began = self.visitor.client.get("/login", query_string={"email": self.email, **query})
        assert began.status_code == 302, began.text[:400]
        return str(began.location)

    def answered(self) -> str:
        """Return path and query of the callback, not yet fetched."""
        parts = urlsplit(sign_in(self.asked, self.email, self.person))
        return f"{parts.path}?{parts.query}"

    def finish(self, then: int = 303) -> Any:
        return self.visitor.get(self.answered(), then=then)


@pytest.fixture
def arrive(app, idp) -> Callable[..., Visitor]:
    """Return a function of an address that returns a visitor signed in by the provider."""

    def come(email: str, visitor: Visitor | None = None, then: int = 303, **query: str) -> Visitor:
        visitor = visitor or Visitor(app)
        Arrival(visitor, email, **query).finish(then)
        return visitor

    return come


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's forms."""
    inputs = BeautifulSoup(page, "html.parser").select("main input[type=hidden]")
    return {str(field["name"]): str(field["value"]) for field in inputs}


def next_address(page: str) -> str:
    """Return the address that a page forwards to."""
    refresh = BeautifulSoup(page, "html.parser").select_one("meta[http-equiv=refresh]")
    assert refresh, page
    return str(refresh["content"]).partition("url=")[2]


def sessions_of(slug: str = "acme") -> list[Session]:
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True) as work:
        found = list(work.scalars(select(Session).where(Session.ended_at.is_(None))))
        work.expunge_all()
        return found


def entries_of_action(action: str = "", slug: str = "acme") -> list[AuditEntry]:
    """Return the entries of a tenant's log, oldest first."""
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True) as work:
        query = select(AuditEntry).order_by(AuditEntry.id)
        found = list(work.scalars(query.where(AuditEntry.action == action) if action else query))
        work.expunge_all()
        return found


@contextmanager
def no_session_starts(slug: str = "acme") -> Iterator[None]:
    """Check that no session starts inside."""
    before = {row.id for row in sessions_of(slug)}
    yield
    assert {row.id for row in sessions_of(slug)} == before
