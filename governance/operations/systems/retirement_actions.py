"""Enter the retirement days of vendors' models from the price table's announcements.

A system's models are facts of the register, so a new or corrected day makes a version.
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
    """A vendor's announcement of a model's retirement, with its successor."""

    retires_on: date
    successor: str


def follow_announcements(announced: Callable[[str, str], Announcement | None]) -> int:
    """Update the models of all systems from `announced(provider, name)`.

    Returns how many systems changed. Models without an announcement keep what people entered.
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
