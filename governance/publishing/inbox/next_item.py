"""From one item to the next: whoever decides an item that they opened from the inbox comes to the
one after it.

    remember(item, edge, href)    when an item is opened from the inbox
    opened()                      the item whose page is shown now, for the strip over it
    lead_on(response)             after each request: a form of that item was sent, so ask whether
                                  it is done
    forget()                      the person is back in the inbox

What was opened is in the person's own signed cookie: where it led, and its place in the list.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, request, session, url_for

from governance.publishing.inbox.queries import InboxItem, cursor

KEPT = "inbox"
SENT = (302, 303)


def remember(item: InboxItem, href: str) -> None:
    ids = [str(each) for each in (item.row.id, item.row.parent) if each is not None]
    session[KEPT] = {
        "person": str(g.actor.person_id),
        "tenant": g.actor.tenant_slug,
        "key": item.key,
        "edge": cursor(item),
        "path": urlsplit(href).path,
        "ids": ids,
        "title": item.title,
    }


def forget() -> None:
    session.pop(KEPT, None)


def kept() -> Mapping[str, Any] | None:
    """What this person opened from the inbox of the tenant that they are in; another one may use
    the browser now.
    """
    told: Mapping[str, Any] | None = session.get(KEPT)
    who = g.get("actor")
    if told is None or who is None:
        return None
    return (
        told
        if (told.get("person"), told["tenant"]) == (str(who.person_id), who.tenant_slug)
        else None
    )


def opened() -> Mapping[str, Any] | None:
    told = kept()
    return told if told is not None and told["path"] == request.path else None


def lead_on(response: Response) -> Response:
    """The redirect after a form goes by way of `next_item`, which returns to it unless the item is
    done.
    """
    if request.method != "POST" or response.status_code not in SENT or request.blueprint == "inbox":
        return response
    told = kept()
    if told is not None and _is_about(told) and response.location:
        session[KEPT] = {**told, "back": response.location}
        response.location = url_for("inbox.next_item", tenant=told["tenant"])
    return response


def _is_about(told: Mapping[str, Any]) -> bool:
    return request.path.startswith(told["path"]) or any(
        each in request.path for each in told["ids"]
    )
