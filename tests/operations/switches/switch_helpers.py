"""A tenant with systems, features, keys and consumers, created by the product's own actions."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from governance.foundation.api_keys import actions as keys
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session, transaction
from governance.operations.switches import actions, consumer_actions, queries
from governance.operations.switches.consumers import Heard
from governance.operations.switches.models import Stop
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.operations.systems.models import AISystem, SystemFeature
from tests import make

REASON = "Approvals cited clauses that are not in the policy"


def register_system(
    key: str = "claims-triage",
    lane: str = "high_risk",
    features: Iterable[str] = ("auto-approve", "summarise"),
    slug: str = "acme",
) -> UUID:
    with make.acting("compliance_officer", slug):
        made = systems.register(
            key=key,
            stage="live",
            name=key.replace("-", " ").title(),
            lane=lane,
            purpose="Sorts claims.",
            owner_id=None,
        )
        for each in features:
            systems.add_feature(made, key=each, fallback=f"Instead of {each} a person does it")
        return made.id


def find_feature(
    key: str = "auto-approve", of: str = "claims-triage"
) -> tuple[AISystem, SystemFeature]:
    found = register.system(of)
    return found, next(f for f in register.features(found.id, retired=True) if f.key == key)


def create_api_key(name: str = "worker", slug: str = "acme") -> UUID:
    with make.acting("admin", slug):
        return keys.create(name, ["audit:read"])[0].id


def note_answers(
    key_id: UUID,
    names: Sequence[str],
    *,
    version: int | None = None,
    at: datetime | None = None,
    system_id: UUID | None = None,
    region: str = "Frankfurt",
    slug: str = "acme",
) -> None:
    """Record answers of that version to these consumers at that time.

    The default is the current version.
    """
    with current.acting_as(make.system_actor(slug)), transaction():
        number, moment = (
            tenant_revision.current_revision() if version is None else version,
            at or clock.now(),
        )
        consumer_actions.note_consumers(
            [Heard(key_id, name, region, system_id, number, moment, moment) for name in names]
        )


def stop_feature(
    what: str | None = "auto-approve", of: str = "claims-triage", by: str = "admin", **options: bool
) -> UUID:
    """Stop that feature, or the complete system if None. Return the stop's id."""
    with make.acting(by):
        found = register.system(of)
        part = find_feature(what, of)[1] if what else None
        return actions.stop(
            "feature" if part else "system", found, part, reason=REASON, **options
        ).id


def stop_by_id(stop_id: UUID) -> Stop:
    with make.acting("admin", read_only=True):
        found = queries.stop(stop_id)
        session().expunge(found)
        return found


def stop_fingerprint(stop_id: UUID) -> str:
    with make.acting("admin"):
        return actions.seen(queries.stop(stop_id))


def active_stops() -> list[Stop]:
    with make.acting("admin", read_only=True):
        found = list(session().scalars(queries.select_own_active()).all())
        session().expunge_all()  # The object is read after the transaction.
        return found


def entries_of_action(name: str) -> list[AuditEntry]:
    with make.acting("compliance_officer", read_only=True):
        found = list(
            session().scalars(
                select(AuditEntry).where(AuditEntry.action == name).order_by(AuditEntry.at)
            )
        )
        session().expunge_all()
        return found


def tenant_revision_now(slug: str = "acme") -> int:
    with make.acting("admin", slug, read_only=True):
        return tenant_revision.current_revision()


def seconds_from_now(seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)
