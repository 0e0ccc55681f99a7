"""Claim, send and record deliveries; replay dead letters; send test events.

claim              the next ticket that is ready, for a lease
prepare            what to send for it; the sending itself is outside of any transaction
record_attempt     delivered, tried again later, or a dead letter
replay, replay_dead    the same message with the same id once more
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.orm import aliased

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.webhooks import actions, event_types, queries
from governance.foundation.webhooks.delivery import Message, Outcome
from governance.foundation.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookTicket,
)
from governance.foundation.webhooks.queue_actions import (
    body_of,
    new_message_id,
    put_ticket,
    queue,
)
from governance.foundation.webhooks.retries import DISABLED_AFTER, delay_after
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError

DIED = action(
    "webhook.delivery.failed",
    "gave up on a webhook delivery",
    target="WebhookDelivery",
    activity="update",
    severity="low",
    fields="endpoint event_type message attempts status finding",
    shape="bad",
)
REPLAYED = action(
    "webhook.delivery.replayed",
    "replayed a webhook delivery",
    target="WebhookDelivery",
    activity="update",
    severity="low",
    fields="endpoint event_type message",
)
ALL_REPLAYED = action(
    "webhook.deliveries.replayed",
    "replayed the dead letters of a webhook endpoint",
    target="WebhookEndpoint",
    activity="update",
    severity="low",
    fields="name count",
)
TESTED = action(
    "webhook.endpoint.tested",
    "sent a test event to a webhook endpoint",
    target="WebhookEndpoint",
    activity="update",
    severity="informational",
    fields="name message",
)

LEASE = timedelta(seconds=60)  # Longer than an attempt may take; then another process tries.
MAX_REPLAYED = 1000  # Per click.
KEPT_FOR = timedelta(days=90)
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Claim:
    """A ticket that this process owns until its lease ends. `number` tells it from later ones."""

    delivery_id: UUID
    tenant_id: UUID
    number: int


def claim() -> Claim | None:
    """Take the next ready ticket; None when there is none.

    One message at a time goes to an endpoint, so that a slow receiver delays its own messages only.
    """
    now, other = clock.now(), aliased(WebhookTicket)
    is_busy = exists(
        select(other.id).where(
            other.for_endpoint == WebhookTicket.for_endpoint, other.busy_until > now
        )
    )
    query = (
        select(WebhookTicket)
        .where(
            WebhookTicket.ready_at <= now,
            or_(WebhookTicket.busy_until.is_(None), WebhookTicket.busy_until <= now),
            ~is_busy,
        )
        .order_by(WebhookTicket.ready_at, WebhookTicket.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=WebhookTicket)
    )
    ticket = session().scalars(query).one_or_none()
    if ticket is None:
        return None
    ticket.busy_until, ticket.claims = now + LEASE, ticket.claims + 1
    return Claim(ticket.id, ticket.for_tenant, ticket.claims)


def prepare(held: Claim) -> Message | None:
    """Return what to send; None if the delivery is over, or it or its endpoint is gone."""
    row = session().get(WebhookDelivery, (held.tenant_id, held.delivery_id))
    endpoint = session().get(WebhookEndpoint, (held.tenant_id, row.endpoint_id)) if row else None
    if row is None or endpoint is None or row.state != "queued" or not endpoint.is_active:
        return None
    return Message(
        endpoint.url, endpoint.name, actions.secrets_of(endpoint), row.message_id, row.body
    )


def record_attempt(held: Claim, outcome: Outcome) -> None:
    """Record the result of an attempt, unless another process has claimed the delivery since."""
    endpoint_id = session().scalar(
        select(WebhookDelivery.endpoint_id).where(WebhookDelivery.id == held.delivery_id)
    )
    if endpoint_id is None:
        return
    endpoint = session().get_one(
        WebhookEndpoint,
        (held.tenant_id, endpoint_id),
        with_for_update={"key_share": True},
        populate_existing=True,
    )
    row = queries.delivery(held.delivery_id, lock=True)
    ticket = session().get(WebhookTicket, held.delivery_id, with_for_update=True)
    is_ours = ticket is not None and ticket.claims == held.number
    if row.state != "queued" or not is_ours:
        return
    _note(row, outcome)
    if outcome.is_success:
        _succeed(row, endpoint)
        return
    endpoint.failing_since = endpoint.failing_since or clock.now()
    wait = None if outcome.is_gone else delay_after(row.attempts, _chance.random())
    if wait is None:
        _die(row, endpoint)
    else:
        row.next_at = clock.now() + wait
        _release(ticket, row.next_at)
    if outcome.is_gone:
        actions.disable(endpoint, "gone")
    elif clock.now() - endpoint.failing_since >= DISABLED_AFTER:
        actions.disable(endpoint, "failing")


def _note(row: WebhookDelivery, outcome: Outcome) -> None:
    row.attempts += 1
    row.status, row.finding = outcome.status, outcome.finding
    session().add(
        WebhookAttempt(
            delivery_id=row.id,
            number=row.attempts,
            status=outcome.status,
            finding=outcome.finding,
            response=outcome.response,
            milliseconds=outcome.milliseconds,
        )
    )


def _succeed(row: WebhookDelivery, endpoint: WebhookEndpoint) -> None:
    row.state, row.next_at, row.delivered_at = "delivered", None, clock.now()
    endpoint.failing_since, endpoint.succeeded_at = None, row.delivered_at
    session().execute(delete(WebhookTicket).where(WebhookTicket.id == row.id))


def _die(row: WebhookDelivery, endpoint: WebhookEndpoint) -> None:
    row.state, row.next_at = "dead", None
    session().execute(delete(WebhookTicket).where(WebhookTicket.id == row.id))
    record(
        DIED,
        row,
        endpoint=endpoint.name,
        event_type=row.event_type,
        message=row.message_id,
        attempts=row.attempts,
        status=row.status,
        finding=row.finding,
    )


def _release(ticket: WebhookTicket | None, ready_at: datetime) -> None:
    if ticket is not None:
        ticket.ready_at, ticket.busy_until = ready_at, None


def drop_ticket(held: Claim) -> None:
    """Delete a ticket whose delivery is over, or whose endpoint is gone."""
    session().execute(
        delete(WebhookTicket).where(
            WebhookTicket.id == held.delivery_id, WebhookTicket.claims == held.number
        )
    )


# ---- by a person


def replay(row: WebhookDelivery) -> None:
    """Queue a delivery again under its own id; the second of two clicks changes nothing."""
    endpoint = _active_endpoint(row.endpoint_id)
    session().refresh(row, with_for_update={"key_share": True})
    if row.state == "queued":
        return
    _queue_again(row)
    record(
        REPLAYED,
        row,
        endpoint=endpoint.name,
        event_type=row.event_type,
        message=row.message_id,
    )


def replay_dead(endpoint: WebhookEndpoint) -> int:
    """Queue the oldest dead letters of an endpoint again; return how many, MAX_REPLAYED at most."""
    endpoint = _active_endpoint(endpoint.id)
    query = (
        select(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "dead")
        .order_by(WebhookDelivery.created_at, WebhookDelivery.id)
        .limit(MAX_REPLAYED)
        .with_for_update(key_share=True, skip_locked=True)
    )
    found = session().scalars(query).all()
    for row in found:
        _queue_again(row)
    if found:
        record(ALL_REPLAYED, endpoint, name=endpoint.name, count=len(found))
    return len(found)


def _active_endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = queries.endpoint(endpoint_id, lock=True)
    if not endpoint.is_active:
        raise DomainError(f"{endpoint.name} is disabled. Enable it first.")
    return endpoint


def _queue_again(row: WebhookDelivery) -> None:
    now = clock.now()
    row.state, row.attempts, row.next_at, row.delivered_at = "queued", 0, now, None
    row.replayed_at, row.replayed_by = now, current.actor().person_id
    put_ticket(row, now)


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Queue a test event to one endpoint, for any subscription."""
    endpoint = _active_endpoint(endpoint.id)
    body = body_of(event_types.TEST, clock.now(), {"endpoint": endpoint.name})
    made = queue(endpoint, event_types.TEST, body, new_message_id())
    record(TESTED, endpoint, name=endpoint.name, message=made.message_id)
    return made


def forget_old() -> None:
    """Delete the acting tenant's deliveries that are over and older than KEPT_FOR."""
    over = and_(
        WebhookDelivery.created_at < clock.now() - KEPT_FOR, WebhookDelivery.state != "queued"
    )
    session().execute(delete(WebhookDelivery).where(over))
