"""Enter the days on which vendors retire models, as the price table announces them.

A system's models are facts of the register, so a day that is entered or corrected is a version.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.expression import cast

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.operations.systems.models import AISystem
from governance.operations.systems.version_actions import keep_next

ANNOUNCED = action(
    "system.model_retirement.entered",
    "recorded when a vendor retires a model of an AI system",
    target="AISystem",
    activity="update",
    severity="low",
    fields="key version models",
)


@dataclass(frozen=True, slots=True)
class Announcement:
    """When a vendor retires a model, and what it names as the successor."""

    retires_on: date
    successor: str


def follow_announcements(announced: Callable[[str, str], Announcement | None]) -> int:
    """Make the models of all systems say what `announced(provider, name)` does; return how many
    systems changed. A model that it knows nothing of keeps what people entered.
    """
    changed = 0
    query = select(AISystem).where(
        AISystem.retired_at.is_(None), AISystem.models != cast([], JSONB)
    )
    locked = query.order_by(AISystem.key).with_for_update(key_share=True)
    for system in session().scalars(locked):
        models = [
            _followed(each, announced(each["provider"], each["name"])) for each in system.models
        ]
        if models == system.models:
            continue
        named = [new["name"] for new, old in zip(models, system.models, strict=True) if new != old]
        system.models = models
        kept = keep_next(system)
        record(ANNOUNCED, system, key=system.key, version=kept.number, models=named)
        changed += 1
    return changed


def _followed(model: dict[str, Any], announced: Announcement | None) -> dict[str, Any]:
    if announced is None:
        return model
    successor = announced.successor or model.get("successor", "")
    return model | {"retires_on": announced.retires_on.isoformat(), "successor": successor}
