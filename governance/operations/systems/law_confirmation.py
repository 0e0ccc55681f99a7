"""Confirm that the EU AI Act class of a system applies under a new version of the law."""

from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.errors import Stale
from governance.operations.systems.actions import why_not
from governance.operations.systems.models import AISystem
from governance.operations.systems.version_actions import keep_next

CONFIRMED = action(
    "system.law.confirmed",
    "confirmed the class of an AI system under a new version of the law",
    target="AISystem",
    activity="update",
    severity="medium",
    fields="system from to ai_act_class",
    shape="ok",
)


def confirm(system: AISystem, *, before: str, after: str) -> None:
    """Confirm the class under version `after` of the law. The caller has locked the row.

    Raises Stale if there is nothing left to confirm.
    """
    if (why := why_not(system)) is not None:
        raise Stale(why)
    if not system.ai_act_class or system.law_version == after:
        raise Stale(f"The class of {system.name} was confirmed or changed meanwhile.")
    system.law_version = after
    keep_next(system)
    versions: dict[str, Any] = {"from": before, "to": after}
    record(CONFIRMED, system, system=system.key, ai_act_class=system.ai_act_class, **versions)
