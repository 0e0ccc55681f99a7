"""Webhook endpoints in search, by name."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, select

from governance.foundation.webhooks.models import WebhookEndpoint
from governance.kernel import current
from governance.kernel.manifest import ObjectSearch
from governance.kernel.pages.search_words import has_words, typed


def _find(text: str) -> Select[UUID, str, str]:
    e = WebhookEndpoint
    mine = e.tenant_id == current.actor().tenant_id, e.removed_at.is_(None)
    query = select(e.id, literal("").label("ref"), e.name)
    return query.where(*mine, has_words(typed(text), e.name))


def _address(endpoint_id: UUID, _ref: str) -> dict[str, Any]:
    return {"endpoint_id": endpoint_id}


webhooks = ObjectSearch("webhook", _find, "webhooks.endpoint", _address)
