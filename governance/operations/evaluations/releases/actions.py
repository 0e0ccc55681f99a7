"""State which release an AI system serves if no rollout shows it."""

from datetime import date

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.formatting import long_day
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.releases.models import ServedRelease
from governance.operations.evaluations.runs.actions import MAX_RELEASE_LENGTH
from governance.operations.systems.models import AISystem

STATED = action(
    "evaluation.release.stated",
    "stated the release that an AI system serves",
    target="ServedRelease",
    activity="create",
    severity="low",
    fields="system release since previous",
)


def state_release(
    system: AISystem, release: str, *, since: date | None = None, reason: str
) -> ServedRelease:
    """State that the system serves the release since a day, by default today.

    Later runs are counted by it; earlier budgets and findings don't change. Raises DomainError if
    the system is retired or rollouts show what is served, and Invalid.
    """
    if system.is_retired:
        raise DomainError(f"{system.name} is retired.")
    lock_tenant(f"served releases of {system.id}")
    if served_releases.has_rollouts(system.id):
        raise DomainError(
            f"Rollouts state which release {system.name} serves. Plan a rollout of another one."
        )
    release, known = release.strip(), served_releases.stated(system.id)
    if not release or len(release) > MAX_RELEASE_LENGTH:
        raise Invalid("Enter the release that is served, such as 2026.11.2.", field="release")
    if known is not None and known.release == release:
        raise Invalid(f"{system.name} serves {release} already.", field="release")
    if not reason.strip():
        raise Invalid("Enter how you know it. It is kept in the audit log.", field="reason")
    since = since or clock.today()
    if since > clock.today():
        raise Invalid("Enter today or an earlier day.", field="since")
    if known is not None and since < known.since:
        raise Invalid(
            f"{known.release} is served since {long_day(known.since)}. Enter that day or a later"
            " one.",
            field="since",
        )
    row = ServedRelease(
        system_id=system.id,
        release=release,
        since=since,
        stated_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(row)
    session().flush()
    record(
        STATED,
        row,
        reason=reason.strip(),
        system=system.key,
        release=release,
        since=since.isoformat(),
        previous=known.release if known else None,
    )
    tenant_revision.advance()
    return row
