"""Changes of sign-in through the front door: propose, test sign-in, decide."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.approvals import queries
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people.models import Connection
from governance.kernel.data.db import session
from tests import make
from tests.browser import Visitor
from tests.foundation.approvals import approval_helpers
from tests.foundation.approvals.approval_helpers import newest_approval_page
from tests.foundation.people.conftest import hidden_fields, next_address
from tests.foundation.people.hostile_idp import HostileIdP, sign_in

ADMINS = "governance-admins = admin"


def change_in_state(model: Any, state: str, slug: str = "acme") -> Any:
    with make.acting("admin", slug, read_only=True):
        found = session().scalars(select(model).where(model.state == state)).one()
        session().expunge(found)
        return found


def live_connection(slug: str = "acme") -> Connection:
    return change_in_state(Connection, "live", slug)  # type: ignore[no-any-return]


def requested_change() -> ConnectionChange:
    return change_in_state(ConnectionChange, "requested")  # type: ignore[no-any-return]


def proposal_form(visitor: Visitor, idp: HostileIdP, **changes: Any) -> dict[str, Any]:
    """Return the filled form."""
    opened = hidden_fields(visitor.get("settings/sign-in/change").text)["seen"]
    return {
        "issuer": idp.issuer,
        "client_id": idp.client.id,
        "secret": idp.client.secret,
        "domains": "acme.example",
        "group_roles": ADMINS,
        "enforced": "y",
        "reason": "We move to a new directory",
        "seen": opened,
    } | changes


def propose_change(visitor: Visitor, idp: HostileIdP, then: int = 303, **changes: Any) -> str:
    """Propose a change. Return the address of its approval."""
    visitor.post("settings/sign-in/change", then=then, **proposal_form(visitor, idp, **changes))
    return newest_approval_page()


def change_of(approval: str) -> str:
    """Return the address of the change that this approval is for."""
    with make.acting("admin", read_only=True):
        return f"settings/sign-in/changes/{queries.approval(UUID(approval.rpartition('/')[2])).target_id}"


def start_test_sign_in(visitor: Visitor, approval: str) -> str:
    """Start a test sign-in. Return the address at the provider."""
    return next_address(visitor.post(f"{change_of(approval)}/test-sign-in", then=200).text)


def finish_test_sign_in(asked: str, email: str) -> str:
    parts = urlsplit(sign_in(asked, email, requests.Session()))
    return f"{parts.path}?{parts.query}"


def sign_in_for_test(visitor: Visitor, approval: str, email: str = "admin@acme.example") -> str:
    """Sign in for the test. Return the page that follows."""
    reply = visitor.get(finish_test_sign_in(start_test_sign_in(visitor, approval), email), then=303)
    return visitor.get(reply.location).text


sign_in_for_test.__test__ = False  # type: ignore[attr-defined]


def fingerprint_of_change(visitor: Visitor, approval: str) -> str:
    """Return the fingerprint on the decision's page, or "" if it offers no approval."""
    page = BeautifulSoup(visitor.get(approval).text, "html.parser")
    button = page.select_one("main form button[name=verb][value=approve]")
    return str(page.select("main form input[name=seen]")[0]["value"]) if button else ""


def decide_change(
    visitor: Visitor, approval: str, verb: str = "approve", then: int = 303, **fields: Any
) -> Any:
    """Decide as a person who opened the page, unless `seen` gives another fingerprint."""
    return approval_helpers.decide_approval(visitor, approval, then, verb=verb, **fields)
