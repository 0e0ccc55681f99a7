"""Navigation to the next inbox item, after a person completes an item opened from the inbox.

remember(item, href)        record that an item was opened from the inbox
opened()                    the item of the current page, for the strip above it
redirect_to_next(response)  after each request: if a form of that item was sent, go to the next one
forget()                    the person is back in the inbox

The opened item, with its place in the list, is in the person's signed cookie.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, request, session, url_for

from governance.publishing.inbox.queries import InboxItem, cursor

SESSION_KEY = "inbox"
REDIRECTS = (302, 303)


def remember(item: InboxItem, href: str) -> None:
    ids = [str(each) for each in (item.row.id, item.row.parent) if each is not None]
    session[SESSION_KEY] = {
        "person": str(g.actor.person_id),
        "tenant": g.actor.tenant_slug,
        "key": item.key,
        "edge": cursor(item),
        "path": urlsplit(href).path,
        "ids": ids,
        "title": item.title,
    }


def forget() -> None:
    session.pop(SESSION_KEY, None)


def remembered() -> Mapping[str, Any] | None:
    """Return the item that this person opened in this tenant.

    The browser may have changed hands.
    """
    item: Mapping[str, Any] | None = session.get(SESSION_KEY)
    who = g.get("actor")
    if item is None or who is None:
        return None
    return (
        item
        if (item.get("person"), item["tenant"]) == (str(who.person_id), who.tenant_slug)
        else None
    )


def opened() -> Mapping[str, Any] | None:
    item = remembered()
    return item if item is not None and item["path"] == request.path else None


def redirect_to_next(response: Response) -> Response:
    """Send the redirect after a form to `next_item`, which returns unless the item is done."""
    if (
        request.method != "POST"
        or response.status_code not in REDIRECTS
        or request.blueprint == "inbox"
    ):
        return response
    item = remembered()
    if item is not None and _is_about(item) and response.location:
        session[SESSION_KEY] = {**item, "back": response.location}
        response.location = url_for("inbox.next_item", tenant=item["tenant"])
    return response


def _is_about(item: Mapping[str, Any]) -> bool:
    return request.path.startswith(item["path"]) or any(
        each in request.path for each in item["ids"]
    )
