"""The register's own parts on a system's pages.

They are its models and data, the API keys limited to it, and the effect of retirement on its
features and API keys.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from governance.foundation.api_keys import permissions as key_permissions
from governance.foundation.api_keys.models import ApiKey
from governance.kernel.formatting import plural
from governance.operations.systems import permissions
from governance.operations.systems.models import AISystem, SystemFeature
from governance.operations.systems.parts import Consequence, SystemTab, UsedBy


def _features(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(
        SystemFeature.system_id == system_id, SystemFeature.retired_at.is_(None)
    )


def _keys(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(ApiKey.system_id == system_id, ApiKey.revoked_at.is_(None))


FEATURES = Consequence(
    name="features",
    order=10,
    count=_features,
    text=lambda n: f"{plural(n, 'feature')}: products that read its switch use their default",
)
KEYS = Consequence(
    name="API keys",
    order=40,
    count=_keys,
    text=lambda n: f"{plural(n, 'API key')} limited to it: revoke what no program uses any more",
)


def _has_models(system_id: UUID) -> Select[*tuple[Any, ...]]:
    empty = cast([], JSONB)
    return select(literal("").label("note")).where(
        AISystem.id == system_id,
        or_(AISystem.models != empty, AISystem.data_sets != empty, AISystem.dependencies != empty),
    )


MODELS_TAB = SystemTab(
    label="Models and data",
    endpoint="systems.models",
    argument="key",
    permission=permissions.VIEW,
    order=20,
    content=_has_models,
)


def _limited_keys(system_id: UUID) -> Select[*tuple[Any, ...]]:
    count = func.count()
    words = func.concat(count, case((count == 1, " API key"), else_=" API keys"))
    return (
        select(literal(""), words)
        .where(ApiKey.system_id == system_id, ApiKey.revoked_at.is_(None))
        .having(count > 0)
    )


USED_BY_KEYS = UsedBy(
    order=10, permission=key_permissions.VIEW, select=_limited_keys, endpoint="api_keys.index"
)
