"""Queue messages: what features call in the transaction of what happened."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from governance.foundation.webhooks import event_types, queries
from governance.foundation.webhooks.models import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookTicket,
)
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7

MAX_BODY_BYTES = 64 * 1024


def body_of(event_type: str, at: datetime, data: Mapping[str, Any]) -> str:
    """Return the message as it is stored and sent; instants and ids in `data` become text.

    Raises ValueError for a message over MAX_BODY_BYTES.
    """
    stamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    message = {"type": event_type, "timestamp": stamp, "data": dict(data)}
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":"), default=_text)
    if len(body.encode()) > MAX_BODY_BYTES:
        raise ValueError(f"the data of {event_type} is over {MAX_BODY_BYTES} bytes")
    return body


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def new_message_id() -> str:
    """Return a unique id, by which receivers recognize a message that came twice."""
    return f"msg_{uuid7().hex}{secrets.token_hex(4)}"


def queue(
    endpoint: WebhookEndpoint, event_type: str, body: str, message_id: str
) -> WebhookDelivery:
    """Queue one message to one endpoint in the current transaction."""
    now = clock.now()
    made = WebhookDelivery(
        endpoint_id=endpoint.id,
        message_id=message_id,
        event_type=event_type,
        body=body,
        next_at=now,
    )
    session().add(made)
    session().flush()
    put_ticket(made, now)
    return made


def put_ticket(delivery: WebhookDelivery, ready_at: datetime) -> None:
    """Let the jobs process take the delivery from that instant on."""
    session().add(
        WebhookTicket(
            id=delivery.id,
            for_tenant=delivery.tenant_id,
            for_endpoint=delivery.endpoint_id,
            ready_at=ready_at,
            busy_until=None,
            claims=0,
        )
    )


def send(event_type: str, payload: Mapping[str, Any]) -> list[UUID]:
    """Queue one delivery to each active endpoint that subscribes to the type; return their ids.

    Call it in the transaction of what happened: nothing is sent unless that commits. `payload` is
    the message's data: facts that may leave the tenant, without people's names. The data is kept as
    it is now. Raises LookupError for a type that no feature has registered.
    """
    if not event_types.is_known(event_type):
        raise LookupError(f"no feature has registered the event type {event_type}")
    found = queries.subscribers(event_type)
    if not found:
        return []
    body, message_id = body_of(event_type, clock.now(), payload), new_message_id()
    return [queue(each, event_type, body, message_id).id for each in found]
