"""Proposals made with the form that product teams send."""

import re
from uuid import UUID, uuid4

from tests.browser import field_value

ANSWERS = {
    "regions": ["eu"],
    "role": "both",
    "audience": "employees",
    "decides": "informs",
    "autonomy": "advice",
    "data_used": ["personal"],
    "area": "5",
    "profiles": "yes",
    "task": "none",
    "safety": "no",
    "practices": ["none"],
    "contact": ["none"],
    "service": "insurance",
}
FORM = {
    "name": "Premium advisor",
    "key": "",
    "purpose": "Suggests premiums of health policies to underwriters.",
    "users": "Underwriters; applicants are affected.",
}


def form(**changed):
    """Return the fields of the form. A change to None omits the field."""
    return {**FORM, **ANSWERS, **changed}


def propose(visitor, **changed) -> UUID:
    """Send the form and return the id of the proposal."""
    reply = visitor.post("intake/new", once=str(uuid4()), **form(**changed))
    return UUID(reply.location.rsplit("/", 1)[1])


def approval_of(visitor, proposal_id: UUID) -> str:
    """Return the address of the proposal's approval, as its page links it."""
    page = visitor.get(f"intake/{proposal_id}").text
    return re.search(r"approvals/[0-9a-f-]{36}", page)[0]


def decide(visitor, address: str, verb: str = "approve", *, then=303, reason: str = "It fits."):
    """Decide as the page of the approval offers it."""
    seen = seen_in(visitor.get(address))
    return visitor.post(address, then=then, verb=verb, seen=seen, typed="", reason=reason)


def seen_in(page) -> str:
    return field_value(page.text, "seen") or ""
