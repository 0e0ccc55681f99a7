"""Changing how people sign in through the front door: propose, test sign-in, decide."""

from typing import Any
from urllib.parse import urlsplit

import requests
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.people.models import Connection, ConnectionChange
from governance.kernel.db import session
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import hidden_fields, onward
from tests.foundation.people.idp import HostileIdP, sign_in

ADMINS = "governance-admins = admin"


def row(model: Any, state: str, slug: str = "acme") -> Any:
    with make.acting("admin", slug, read_only=True):
        found = session().scalars(select(model).where(model.state == state)).one()
        session().expunge(found)
        return found


def live(slug: str = "acme") -> Connection:
    return row(Connection, "live", slug)  # type: ignore[no-any-return]


def requested() -> ConnectionChange:
    return row(ConnectionChange, "requested")  # type: ignore[no-any-return]


def proposal(visitor: Visitor, idp: HostileIdP, **changes: Any) -> dict[str, Any]:
    """The filled form."""
    opened = hidden_fields(visitor.get("settings/sign-in/change").text)["seen"]
    return {"issuer": idp.issuer, "client_id": idp.client.id, "secret": idp.client.secret, "domains": "acme.example", "group_roles": ADMINS,
            "enforced": "y", "reason": "We move to a new directory", "seen": opened} | changes  # fmt: skip


def propose(visitor: Visitor, idp: HostileIdP, then: int = 303, **changes: Any) -> str:
    """The address of the change."""
    visitor.post("settings/sign-in/change", then=then, **proposal(visitor, idp, **changes))
    return f"settings/sign-in/changes/{requested().id}"


def start_test(visitor: Visitor, change: str) -> str:
    """The address at the provider."""
    return onward(visitor.post(f"{change}/test-sign-in", then=200).text)


def answered(asked: str, email: str) -> str:
    parts = urlsplit(sign_in(asked, email, requests.Session()))
    return f"{parts.path}?{parts.query}"


def test_as(visitor: Visitor, change: str, email: str = "admin@acme.example") -> str:
    """Sign in for the test, and the page that follows."""
    reply = visitor.get(answered(start_test(visitor, change), email), then=303)
    return visitor.get(reply.location).text


test_as.__test__ = False  # type: ignore[attr-defined]


def seen(visitor: Visitor, change: str) -> str:
    """The fingerprint that the page of the decision carries; empty where it offers no approval."""
    page = BeautifulSoup(visitor.get(change).text, "html.parser")
    forms = [form for form in page.select("main form") if form.select_one("input[name=verb][value=approve]")]
    return str(forms[0].select_one("input[name=seen]")["value"]) if forms else ""


def decide(visitor: Visitor, change: str, verb: str = "approve", then: int = 303, **fields: Any) -> Any:
    return visitor.post(change, then=then, **({"verb": verb, "seen": seen(visitor, change)} | fields))
