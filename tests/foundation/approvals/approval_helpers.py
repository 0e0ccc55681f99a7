"""Decisions on approvals through the front door, with what the newest one's page carries."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.approvals import actions, kinds, queries
from governance.foundation.approvals.models import Approval
from governance.kernel.data.db import session
from tests import make
from tests.browser import field_value


def newest_approval_id(slug: str = "acme") -> Any:
    """Return the id of the newest approval of that tenant."""
    role = "operator_admin" if slug == "console" else "admin"
    with make.acting(role, slug, read_only=True):
        return session().scalars(select(Approval.id).order_by(Approval.number.desc())).first()


def newest_approval_page(slug: str = "acme") -> str:
    return f"/t/{slug}/approvals/{newest_approval_id(slug)}"


def fingerprint_on_page(visitor: Any, path: str) -> str:
    """Return the fingerprint that the page carries, or "" if it has none."""
    return field_value(visitor.get(path).text.partition("<main")[2], "seen") or ""


def decide_approval(
    visitor: Any, path: str, then: int = 303, *, verb: str, seen: str | None = None, **form: str
) -> Any:
    """Decide as a person who opened the page, unless `seen` gives another fingerprint."""
    if seen is None:
        page = visitor.client.get(visitor.at(path))
        main = page.text.partition("<main")[2] if page.status_code == 200 else ""
        seen = field_value(main, "seen") or ""
    return visitor.post(path, then=then, verb=verb, seen=seen, **form)


def approve_below_pages(approval_id: UUID, role: str, slug: str = "acme") -> Any:
    """Approve without a page, as that person with the current fingerprint."""
    with make.acting(role, slug):
        found = queries.approval(approval_id)
        kind = kinds.named(found.kind)
        assert kind
        return actions.approve(
            found, seen=kinds.fingerprint_seen(found), typed=kind.confirmation(found)
        )


def approvals_in_inbox(visitor: Any, slug: str = "acme") -> set[str]:
    """Return the targets of the approvals in that person's inbox."""
    page = visitor.get(f"/t/{slug}/inbox/?group=approvals").text
    links = set(re.findall(r'href="(/t/[a-z]+/inbox/items/[^"]+/open)"', page))
    return {visitor.get(link, then=302).location for link in links}
