"""The list of live keys: its declaration, filters and orders."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from governance.foundation.api_keys.models import ApiKey
from governance.kernel.pages.list_pages import Column, Filter, ListPage, ListRequest, arrange, keep
from governance.kernel.safety.access import known_scopes

LONG_AGO, FAR_AWAY = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
KEYS = ListPage(
    name="keys",
    title="API keys",
    noun="key",
    endpoint="api_keys.index",
    search="Search keys",
    sort="machine",
    columns=(
        Column("machine", "Machine", sort=True),
        Column("scopes", "Scopes", optional=True),
        Column("created", "Created", sort=True, optional=True),
        Column("used", "Last used", sort=True, optional=True),
        Column("expires", "Expires", sort=True, optional=True),
        Column("actions", "Actions", silent=True),
    ),
    filters=(
        Filter(
            "scope",
            "Scope",
            lambda: [(name, name) for name in sorted(known_scopes)],
            unknown="ignored",
        ),
        Filter("state", "State", lambda: [("rotate", "To rotate")], unknown="ignored"),
    ),
)
ORDERS: Mapping[str, Callable[[ApiKey], Any]] = {
    "machine": lambda key: (key.name.casefold(), key.id),
    "created": lambda key: (key.created_at, key.id),
    "used": lambda key: (key.used_at or LONG_AGO, key.id),
    "expires": lambda key: (key.expires_at or FAR_AWAY, key.id),
}


def matching(
    keys: Sequence[ApiKey], asked: ListRequest, to_rotate: Collection[UUID]
) -> list[ApiKey]:
    tests: Mapping[str, Callable[[ApiKey, str], bool]] = {
        "scope": lambda key, value: value in key.scopes,
        "state": lambda key, _value: key.id in to_rotate,
    }
    return arrange(
        keep(keys, asked, tests, lambda key: f"{key.name} {key.hint} {' '.join(key.scopes)}"),
        asked,
        ORDERS,
    )
