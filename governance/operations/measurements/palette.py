"""Indicators in the command palette."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from governance.kernel import current
from governance.kernel.manifest import ObjectSearch, contains
from governance.operations.measurements.models import Indicator


def _find(text: str) -> Select[UUID, str, str]:
    pattern = contains(text)
    return select(Indicator.id, Indicator.key, Indicator.name).where(
        Indicator.tenant_id == current.actor().tenant_id,
        Indicator.retired_at.is_(None),
        or_(Indicator.key.ilike(pattern), Indicator.name.ilike(pattern)),
    )


def _address(_indicator_id: UUID, slug: str) -> dict[str, Any]:
    return {"indicator_id": slug}


indicators = ObjectSearch("Indicator", _find, "indicators.indicator", _address)
