"""Webhook endpoints, the deliveries to them, each attempt, and the queue over all tenants."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

# States: queued waits for its next attempt; dead is a dead letter, which somebody can replay.
DELIVERY_STATES = ("queued", "delivered", "dead")


class WebhookEndpoint(Tenanted, Model):
    """An address of the tenant's own systems that gets events of the chosen types."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index(None, "tenant_id", "removed_at"),)

    name: Mapped[str]
    url: Mapped[str]
    event_types: Mapped[list[Any]]
    secret: Mapped[bytes]  # Wrapped by the installation's key.
    previous_secret: Mapped[bytes | None]  # Signs too until `previous_until`.
    previous_until: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[UUID | None]
    disabled_at: Mapped[datetime | None]
    disabled_by: Mapped[UUID | None]
    disabled_reason: Mapped[str] = mapped_column(default="")  # One of: person gone failing.
    failing_since: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None and self.removed_at is None


class WebhookDelivery(Tenanted, Model):
    """One message to one endpoint. Its id and body never change, not even when it is replayed."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        tenant_fk("endpoint_id", "webhook_endpoints"),
        UniqueConstraint("tenant_id", "endpoint_id", "message_id"),
        Index(None, "tenant_id", "endpoint_id", "created_at", "id"),
        Index(
            "ix_webhook_deliveries_open",
            "tenant_id",
            "endpoint_id",
            "state",
            postgresql_where=text("state IN ('queued', 'dead')"),
        ),
        Index(None, "tenant_id", "created_at"),
    )

    endpoint_id: Mapped[UUID]
    message_id: Mapped[str]  # The header webhook-id.
    event_type: Mapped[str]
    body: Mapped[str]  # JSON, exactly as it is sent
    state: Mapped[str] = mapped_column(default="queued")  # One of DELIVERY_STATES.
    attempts: Mapped[int] = mapped_column(default=0)  # Attempts since it was queued or replayed.
    next_at: Mapped[datetime | None]
    finding: Mapped[str] = mapped_column(default="")  # The result of the last attempt.
    status: Mapped[int | None]  # HTTP, of the last attempt
    delivered_at: Mapped[datetime | None]
    replayed_at: Mapped[datetime | None]
    replayed_by: Mapped[UUID | None]


class WebhookAttempt(Tenanted, Model):
    """One request to an endpoint, and its answer."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        tenant_fk("delivery_id", "webhook_deliveries", on_delete="CASCADE"),
        Index(None, "tenant_id", "delivery_id", "created_at"),
    )

    delivery_id: Mapped[UUID]
    number: Mapped[int]
    status: Mapped[int | None]  # HTTP status; None = no answer.
    finding: Mapped[str]  # Empty for success.
    response: Mapped[str]  # The beginning of the answer's body.
    milliseconds: Mapped[int]


class WebhookTicket(Model):
    """The queue over all tenants.

    It has ids only, nothing of a tenant's content, hence no row-level security. The id is that of
    the delivery.
    """

    __tablename__ = "webhook_tickets"
    __table_args__ = (Index(None, "ready_at"), Index(None, "for_endpoint"))

    for_tenant: Mapped[UUID]
    for_endpoint: Mapped[UUID]
    ready_at: Mapped[datetime]
    # Set while a process sends it: one at a time to an endpoint.
    busy_until: Mapped[datetime | None]
    # The number of times that a process has claimed it.
    claims: Mapped[int] = mapped_column(default=0)
