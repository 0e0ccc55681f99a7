"""Store a version of a system with each change, and publish substantial changes."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.work.events import publish
from governance.operations.systems.events import SystemChanged
from governance.operations.systems.facts import FACTS, kept, substantial_changes
from governance.operations.systems.models import AISystem, SystemFeature, SystemVersion

SUBSTANTIAL = action(
    "system.substantial_change.detected",
    "made a substantial change to an AI system",
    target="AISystem",
    activity="update",
    severity="low",
    fields="key version reasons",
    shape="up",
)


def content_of(system: AISystem) -> dict[str, Any]:
    """Return the full record of a system, as a version stores it."""
    features = select(SystemFeature).where(
        SystemFeature.system_id == system.id, SystemFeature.retired_at.is_(None)
    )
    return {
        **{each.name: kept(getattr(system, each.name)) for each in FACTS},
        "lane": system.lane,
        "stage": system.stage,
        "owner": str(system.owner_id) if system.owner_id else None,
        "valid_until": system.valid_until.isoformat() if system.valid_until else None,
        "law_version": system.law_version,
        "features": {each.key: each.fallback for each in session().scalars(features)},
    }


def keep_first(system: AISystem, *, reason: str = "") -> SystemVersion:
    """Store the first version of a system at registration."""
    session().flush()
    return _add(system, content_of(system), (), reason)


def keep_next(system: AISystem, *, reason: str = "") -> SystemVersion:
    """Store the current version of a system. The caller has locked its row and changed it."""
    session().flush()
    content = content_of(system)
    last = (
        session()
        .scalars(
            select(SystemVersion).where(
                SystemVersion.system_id == system.id, SystemVersion.number == system.version
            )
        )
        .one_or_none()
    )
    reasons = substantial_changes(last.content, content) if last else ()
    system.version += 1
    kept = _add(system, content, reasons, reason)
    if reasons:
        system.still_valid = []
        record(SUBSTANTIAL, system, key=system.key, version=kept.number, reasons=list(reasons))
    publish(SystemChanged(system.id, kept.number, reasons))
    return kept


def _add(
    system: AISystem, content: dict[str, Any], reasons: tuple[str, ...], reason: str
) -> SystemVersion:
    row = SystemVersion(
        system_id=system.id,
        number=system.version,
        content=content,
        substantial=list(reasons),
        reason=reason.strip(),
        changed_by=_person(),
        created_at=clock.now(),
    )
    session().add(row)
    session().flush()
    return row


def _person() -> UUID | None:
    return current.actor().person_id
