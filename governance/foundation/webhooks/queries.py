"""Reads of webhook endpoints, their deliveries, and the attempts of one delivery."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, and_, bindparam, func, select

from governance.foundation.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset

MAX_ENDPOINTS = 20  # Per tenant.


def endpoints() -> Sequence[WebhookEndpoint]:
    """Return the endpoints that were not removed, by name."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.removed_at.is_(None))
    ordered = query.order_by(func.lower(WebhookEndpoint.name), WebhookEndpoint.id)
    return session().scalars(ordered.limit(MAX_ENDPOINTS)).all()


def endpoint(endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """Return an endpoint; NotFound for a removed one."""
    found = find(WebhookEndpoint, endpoint_id, what="webhook endpoint", lock=lock)
    if found.removed_at is not None:
        raise NotFound("This webhook endpoint doesn't exist or was removed.")
    return found


SUBSCRIBERS = Rows(
    WebhookEndpoint,
    lambda m: and_(
        m.removed_at.is_(None),
        m.disabled_at.is_(None),
        m.event_types.has_key(bindparam("event_type", type_=String())),
    ),
    lambda m: (m.id,),
)


def subscribers(event_type: str) -> Sequence[WebhookEndpoint]:
    """Return the active endpoints that subscribe to a type of event."""
    return SUBSCRIBERS.read(event_type=event_type)


def delivery(delivery_id: UUID, *, lock: bool = False) -> WebhookDelivery:
    return find(WebhookDelivery, delivery_id, what="delivery", lock=lock)


def exists(endpoint_id: UUID) -> bool:
    """Return whether there is such an endpoint, removed or not."""
    query = select(WebhookEndpoint.id).where(WebhookEndpoint.id == endpoint_id)
    return session().scalar(query) is not None


def attempts(delivery_id: UUID) -> Sequence[WebhookAttempt]:
    """Return the attempts of a delivery, newest first."""
    query = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id)
    return (
        session()
        .scalars(query.order_by(WebhookAttempt.created_at.desc(), WebhookAttempt.id.desc()))
        .all()
    )


def deliveries(
    endpoint_id: UUID,
    wanted: Mapping[str, str],
    *,
    sort: str = "-created",
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """Return one page of an endpoint's deliveries; `wanted` are the filters: state, type."""
    columns = (WebhookDelivery.created_at, WebhookDelivery.id)
    query = _filtered(endpoint_id, wanted)
    return keyset(query, *columns, after=after, size=size, descending=sort.startswith("-"))


def _filtered(endpoint_id: UUID, wanted: Mapping[str, str]) -> Select[Any]:
    query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if "state" in wanted:
        query = query.where(WebhookDelivery.state == wanted["state"])
    if "type" in wanted:
        query = query.where(WebhookDelivery.event_type == wanted["type"])
    return query


def counts(endpoint_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return endpoint → how many of its deliveries are queued or dead, in one statement."""
    query = (
        select(WebhookDelivery.endpoint_id, WebhookDelivery.state, func.count())
        .where(
            WebhookDelivery.endpoint_id.in_(endpoint_ids),
            WebhookDelivery.state.in_(("queued", "dead")),
        )
        .group_by(WebhookDelivery.endpoint_id, WebhookDelivery.state)
    )
    found: dict[UUID, dict[str, int]] = {each: {} for each in endpoint_ids}
    for endpoint_id, state, count in session().execute(query):
        found[endpoint_id][state] = count
    return found
