"""A change log with changes and its public page."""

import re
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from governance.kernel.data.db import session
from governance.publishing.change_log import actions, queries
from governance.publishing.change_log.actions import ChangeText
from governance.publishing.change_log.models import CustomerChange
from tests import make
from tests.browser import field_value

APPROVAL = re.compile(r"approvals/[0-9a-f-]{36}")


def started(slug: str = "acme") -> str:
    """Start the tenant's change log. Return the path of its public page."""
    with make.acting("admin", slug):
        return f"/public/changes/{actions.start().token}"


def text(**changed: Any) -> ChangeText:
    values = {
        "kind": "other",
        "system_id": None,
        "title": "Claims triage answers in Polish",
        "body": "Answers follow the language of the claim.",
        "effect": "You need not translate claims any more.",
    }
    return ChangeText(**values | changed)


def written(slug: str = "acme", **changed: Any) -> UUID:
    """Write a draft as a contributor."""
    with make.acting("contributor" if slug == "acme" else "admin", slug):
        return actions.write(text(**changed)).id


def fields(**changed: Any) -> dict[str, Any]:
    """Return the fields of the form."""
    given = text()
    values = {
        "once": str(uuid4()),
        "seen": "1",
        "kind": given.kind,
        "system_id": "",
        "title": given.title,
        "body": given.body,
        "effect": given.effect,
    }
    return values | changed


def requested(visitor, change_id: UUID) -> str:
    """Request approval of a change. Return the address of the request."""
    visitor.post(f"change-log/{change_id}/request")
    return APPROVAL.search(visitor.get(f"change-log/{change_id}").text)[0]


def approve(visitor, address: str, *, then: int = 303, seen: str | None = None):
    """Approve as the page of the request offers it."""
    if seen is None:
        seen = field_value(visitor.get(address).text, "seen") or ""
    return visitor.post(address, then=then, verb="approve", seen=seen, typed="", reason="")


def published(writer, approver, **changed: Any) -> UUID:
    """Write, request and approve a change."""
    change_id = written(**changed)
    writer.post(f"change-log/{change_id}/request")
    with make.acting("viewer", read_only=True):
        request = queries.open_request(queries.change(change_id))
        assert request
        request_id = request.id
    approve(approver, f"approvals/{request_id}")
    return change_id


def changes() -> list[CustomerChange]:
    """Return Acme's changes, in the order of their numbers."""
    return list(session().scalars(select(CustomerChange).order_by(CustomerChange.number)))


def state_of(change_id: UUID) -> str:
    with make.acting("viewer", read_only=True):
        return queries.change(change_id).state
