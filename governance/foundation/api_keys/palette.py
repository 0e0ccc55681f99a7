"""API keys in search, by name."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.foundation.api_keys.models import ApiKey
from governance.kernel import current
from governance.kernel.manifest import ObjectSearch
from governance.kernel.pages.search_words import has_words, typed


def _find(text: str) -> Select[UUID, str, str]:
    mine = ApiKey.tenant_id == current.actor().tenant_id, ApiKey.revoked_at.is_(None)
    query = select(ApiKey.id, ApiKey.hint, ApiKey.name)
    return query.where(*mine, has_words(typed(text), ApiKey.name, ApiKey.hint))


def _address(_key_id: UUID, hint: str) -> dict[str, Any]:
    return {"q": hint}


api_keys = ObjectSearch("API key", _find, "api_keys.index", _address)
