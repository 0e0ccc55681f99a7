"""Add, change, disable and remove webhook endpoints, and rotate their secrets.

`send` queues a message to every endpoint that subscribes (queue_actions.py). A secret itself is
returned once and stored encrypted.
"""

from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, func, select, update

from governance.foundation.anchors.actions import CONTROL
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.webhooks import event_types, queries
from governance.foundation.webhooks.delivery import new_secret
from governance.foundation.webhooks.models import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookTicket,
)
from governance.foundation.webhooks.queue_actions import send
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid, Stale
from governance.kernel.safety import key_encryption, outbound_http

ADDED = action(
    "webhook.endpoint.added",
    "added a webhook endpoint",
    target="WebhookEndpoint",
    activity="create",
    severity="medium",
    fields="name host event_types",
)
CHANGED = action(
    "webhook.endpoint.changed",
    "changed a webhook endpoint",
    target="WebhookEndpoint",
    activity="update",
    severity="medium",
    fields="name host event_types",
)
ROTATED = action(
    "webhook.secret.rotated",
    "rotated the secret of a webhook endpoint",
    target="WebhookEndpoint",
    activity="update",
    severity="medium",
    fields="name previous_until",
)
DISABLED = action(
    "webhook.endpoint.disabled",
    "disabled a webhook endpoint",
    target="WebhookEndpoint",
    activity="update",
    severity="low",
    fields="name trigger failing_since dead",
)
ENABLED = action(
    "webhook.endpoint.enabled",
    "enabled a webhook endpoint",
    target="WebhookEndpoint",
    activity="update",
    severity="low",
    fields="name",
)
REMOVED = action(
    "webhook.endpoint.removed",
    "removed a webhook endpoint",
    target="WebhookEndpoint",
    activity="delete",
    severity="medium",
    fields="name host dead",
)

MAX_NAME_LENGTH, MAX_URL_LENGTH = 80, 500
OVERLAP = timedelta(hours=24)  # Both secrets sign during this time after a rotation.
LOCK = "webhook_endpoints"

__all__ = ["add", "change", "disable", "enable", "remove", "rotate", "secrets_of", "send"]


def add(
    *, name: str, url: str, events: Collection[str], endpoint_id: UUID | None = None
) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint; return its row and its secret, which is shown once.

    The caller chooses `endpoint_id`, so that a request sent twice adds one endpoint. Raises
    Invalid, which names the field.
    """
    lock_tenant(LOCK)
    name, url, chosen = _check_fields(name, url, events)
    if len(queries.endpoints()) >= queries.MAX_ENDPOINTS:
        raise Invalid(
            f"A tenant can have {queries.MAX_ENDPOINTS} webhook endpoints at most. Remove one"
            " first."
        )
    _check_name_is_free(name, None)
    secret = new_secret()
    row = WebhookEndpoint(
        id=endpoint_id or uuid7(),
        name=name,
        url=url,
        event_types=chosen,
        secret=_encrypted(secret),
        created_by=current.actor().person_id,
    )
    session().add(row)
    record(ADDED, row, name=name, host=_host(url), event_types=chosen)
    return row, secret


def change(
    endpoint: WebhookEndpoint, *, name: str, url: str, events: Collection[str], seen: int
) -> None:
    """Change an endpoint; queued messages go to its new address.

    `seen` is the revision that the person saw; raises Stale if somebody changed it since.
    """
    lock_tenant(LOCK)
    session().refresh(endpoint, with_for_update={"key_share": True})
    name, url, chosen = _check_fields(name, url, events)
    now = (endpoint.name, endpoint.url, endpoint.event_types)
    if now == (name, url, chosen):
        return
    if endpoint.revision != seen:
        raise Stale(
            "Someone else changed this endpoint while you were editing. Review it, then save"
            " again.",
            {"name": (name, endpoint.name), "url": (url, endpoint.url)},
        )
    _check_name_is_free(name, endpoint.id)
    before = {
        "name": endpoint.name,
        "host": _host(endpoint.url),
        "event_types": endpoint.event_types,
    }
    endpoint.name, endpoint.url, endpoint.event_types = name, url, chosen
    endpoint.revision += 1
    after = {"name": name, "host": _host(url), "event_types": chosen}
    record(CHANGED, endpoint, name=name, before=before, after=after)


def _check_fields(name: str, url: str, events: Collection[str]) -> tuple[str, str, list[str]]:
    name, url, chosen = " ".join(name.split()), url.strip(), sorted(set(events))
    if not name or len(name) > MAX_NAME_LENGTH or CONTROL.search(name):
        raise Invalid(f"Enter a name of 1 to {MAX_NAME_LENGTH} characters.", field="name")
    if len(url) > MAX_URL_LENGTH or not url.isascii() or CONTROL.search(url) or " " in url:
        raise Invalid(
            f"Enter an address of at most {MAX_URL_LENGTH} ASCII characters, without spaces.",
            field="url",
        )
    try:
        outbound_http.safe_url(url)
    except outbound_http.NotCalled as fault:
        raise Invalid(fault.message, field="url") from fault
    if not chosen or any(not event_types.is_known(each) for each in chosen):
        raise Invalid("Choose at least one type of event from the list.", field="events")
    return name, url, chosen


def _check_name_is_free(name: str, own: UUID | None) -> None:
    query = select(WebhookEndpoint.id).where(
        WebhookEndpoint.removed_at.is_(None),
        func.lower(WebhookEndpoint.name) == name.lower(),
    )
    if session().scalars(query.limit(1)).one_or_none() not in {None, own}:
        raise Invalid(f"Another endpoint is named {name}. Choose another name.", field="name")


def rotate(endpoint: WebhookEndpoint, *, seen: int) -> str:
    """Give an endpoint a new secret and return it; the old one signs too for OVERLAP.

    `seen` is the revision that the person saw; raises Stale if somebody rotated it since.
    """
    session().refresh(endpoint, with_for_update={"key_share": True})
    if endpoint.revision != seen:
        raise Stale(
            f"The endpoint {endpoint.name} was changed since you opened this page. Only the person"
            " who rotated its secret saw the new one."
        )
    secret = new_secret()
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, clock.now() + OVERLAP
    endpoint.secret = _encrypted(secret)
    endpoint.revision += 1
    record(ROTATED, endpoint, name=endpoint.name, previous_until=endpoint.previous_until)
    return secret


def disable(endpoint: WebhookEndpoint, trigger: str = "person") -> None:
    """Send it nothing more; queued messages become dead letters, which can be replayed later.

    `trigger` is person, gone (it answered 410) or failing (no success for days).
    """
    session().refresh(endpoint, with_for_update={"key_share": True})
    if endpoint.disabled_at is not None:
        return
    endpoint.disabled_at, endpoint.disabled_reason = clock.now(), trigger
    endpoint.disabled_by = current.actor().person_id
    dead = _end_queued(endpoint, "The endpoint was disabled.")
    since = endpoint.failing_since if trigger == "failing" else None
    record(DISABLED, endpoint, name=endpoint.name, trigger=trigger, failing_since=since, dead=dead)


def enable(endpoint: WebhookEndpoint) -> None:
    """Send it new events from now on. Its dead letters wait until somebody replays them."""
    session().refresh(endpoint, with_for_update={"key_share": True})
    if endpoint.disabled_at is None:
        return
    endpoint.disabled_at = endpoint.disabled_by = endpoint.failing_since = None
    endpoint.disabled_reason = ""
    record(ENABLED, endpoint, name=endpoint.name)


def remove(endpoint: WebhookEndpoint) -> None:
    """Remove an endpoint for good. Its deliveries stay in the database until they are old."""
    session().refresh(endpoint, with_for_update={"key_share": True})
    if endpoint.removed_at is not None:
        return
    endpoint.removed_at = clock.now()
    dead = _end_queued(endpoint, "The endpoint was removed.")
    record(REMOVED, endpoint, name=endpoint.name, host=_host(endpoint.url), dead=dead)


def _end_queued(endpoint: WebhookEndpoint, finding: str) -> int:
    """Turn queued messages into dead letters; return how many."""
    ended = (
        session()
        .scalars(
            update(WebhookDelivery)
            .where(WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "queued")
            .values(state="dead", next_at=None, finding=finding)
            .returning(WebhookDelivery.id)
        )
        .all()
    )
    session().execute(delete(WebhookTicket).where(WebhookTicket.for_endpoint == endpoint.id))
    return len(ended)


# ---- secrets


def _encrypted(secret: str) -> bytes:
    return key_encryption.wrap(secret.encode(), _context(current.actor().tenant_id))


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """Return the secrets that sign now: the current one, and the previous one in its overlap."""
    held = [endpoint.secret]
    if (
        endpoint.previous_secret is not None
        and endpoint.previous_until is not None
        and endpoint.previous_until > clock.now()
    ):
        held.append(endpoint.previous_secret)
    context = _context(endpoint.tenant_id)
    return [key_encryption.unwrap(each, context).decode() for each in held]


def _context(tenant_id: UUID) -> bytes:
    return b"webhook-secret\0" + tenant_id.bytes


for _column in ("secret", "previous_secret"):
    key_encryption.holds(WebhookEndpoint, _column, lambda row: _context(row.tenant_id))


def _host(url: str) -> str:
    """Return the host, which the log names: the full address may contain a token."""
    return urlsplit(url).hostname or ""
