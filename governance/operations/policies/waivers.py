"""Waivers: a setting of one AI system below the platform minimum for a limited time.

request        one person requests it; nothing changes before two others approve
make_live      after both have approved
close          after the request was rejected, withdrawn or has expired
end_early      restores the platform minimum, so one person is enough
why_blocked    returns why it can't be approved now
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import DEFAULT_LIFETIME
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.operations.policies import queries
from governance.operations.policies.dimensions import Value, dimension, plain, read
from governance.operations.policies.effective_policies import EffectivePolicy, Governed
from governance.operations.policies.models import Waiver
from governance.operations.policies.platform_minimum import check_reason
from governance.operations.policies.setting_labels import setting_of, setting_title, value_label
from governance.operations.policies.strictness import covers

ASKED = action(
    "waiver.requested",
    "requested a waiver",
    target="Waiver",
    activity="create",
    severity="low",
    fields="system dimension value until",
    personal="compensation",
    shape="open",
)
AGREED = action(
    "waiver.partially_approved",
    "approved a waiver that needs one more approval",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension value until",
)
LIVE = action(
    "waiver.approved",
    "approved and activated a waiver",
    target="Waiver",
    activity="update",
    severity="medium",
    fields="system dimension value until mark",
    shape="down",
)
REFUSED = action(
    "waiver.rejected",
    "rejected a waiver",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension",
    shape="up",
)
WITHDRAWN = action(
    "waiver.withdrawn",
    "withdrew a waiver request",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension",
)
CLOSED = action(
    "waiver.ended",
    "ended a waiver early",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension mark",
    shape="up",
)

LOCK = "waivers"
MAX_WAIVER_TIME = timedelta(days=30)


# ---- requesting


def request(
    system_id: UUID, key: str, value: Value, *, expires_at: datetime, reason: str, compensation: str
) -> Waiver:
    """Request a value below the platform minimum for one setting of a system, for up to 30 days."""
    lock_tenant(LOCK)
    now = queries.current_policy()
    system = next((s for s in now.systems if s.id == system_id), None)
    if system is None:
        raise NotFound("This AI system doesn't exist, or you don't have access to it.")
    _check_waivable(now, key, value)
    check_reason(reason)
    if not compensation.strip():
        raise Invalid(
            "Describe the compensating measure: what you do while the minimum is waived.",
            field="compensation",
        )
    _check_end(expires_at)
    _check_none_open(system, key)
    row = Waiver(
        system_id=system_id,
        dimension=key,
        value=plain(value),
        reason=reason.strip(),
        compensation=compensation.strip(),
        expires_at=expires_at,
        state="requested",
        requested_by=current.person_id(),
        live_from=None,
        closed_by=None,
        closed_at=None,
    )
    session().add(row)
    session().flush()
    approvals.request(
        queries.WAIVER,
        row.id,
        summary=f"waive {setting_of(key, system.key)}",
        reason=reason,
        expires_at=min(clock.now() + DEFAULT_LIFETIME, expires_at),
    )
    return row


def _check_waivable(now: EffectivePolicy, key: str, value: Value) -> None:
    dimension(key)
    if key in now.platform.unwaivable:
        raise Invalid(
            f"The operator doesn't allow waivers of {setting_title(key)}.", field="dimension"
        )
    minimum = now.platform.floor.get(key)
    if minimum is None:
        raise Invalid(
            f"The platform minimum doesn't limit {setting_title(key)}, so there is nothing to"
            " waive.",
            field="dimension",
        )
    if covers(key, value, minimum):
        raise Invalid(
            f"{value_label(value, key)} isn't below the platform minimum of"
            f" {value_label(minimum, key)}, so it needs no waiver.",
            field="value",
        )


def _check_end(at: datetime) -> None:
    now = clock.now()
    if at <= now:
        raise Invalid("Choose a future day on which the waiver ends.", field="expires_on")
    if at > now + MAX_WAIVER_TIME:
        raise Invalid(f"A waiver lasts at most {MAX_WAIVER_TIME.days} days.", field="expires_on")


def _check_none_open(system: Governed, key: str) -> None:
    """Raise if the setting already has an open waiver. Close an expired request first."""
    there = queries.open_waiver(system.id, key)
    if there is not None and not (
        there.state == "requested" and approvals.close_expired(queries.WAIVER, there.id)
    ):
        raise DomainError(
            f"A waiver of {setting_title(key)} for {system.key} is already requested or live. Open"
            " it in the list of waivers.",
            field="dimension",
        )


# ---- after its approval


def why_blocked(row: Waiver) -> str | None:
    """Return why it can't be approved now, as a sentence, or None."""
    now = queries.current_policy()
    if row.expires_at <= clock.now():
        return "The waiver's end date has passed. Request it again with a later one."
    if row.system_id not in {s.id for s in now.systems}:
        return "Its AI system was retired."
    try:
        _check_waivable(now, row.dimension, read(row.dimension, row.value))
    except Invalid as error:
        return error.message
    return None


def make_live(row: Waiver) -> None:
    row.state, row.live_from = "live", clock.now()
    record(LIVE, row, mark=tenant_revision.advance(), **facts(row))


def close(row: Waiver, state: str) -> None:
    """Close a rejected, withdrawn, voided or expired request for a waiver, and record which."""
    row.state, row.closed_by, row.closed_at = state, current.actor().person_id, clock.now()


def end_early(row: Waiver, reason: str = "") -> None:
    session().refresh(row, with_for_update=True)
    if row.state != "live" or row.expires_at <= clock.now():
        raise DomainError("This waiver isn't live, so it can't be ended.")
    row.state, row.closed_by, row.closed_at = "ended", current.person_id(), clock.now()
    logged = facts(row)
    record(
        CLOSED,
        row,
        reason=reason.strip() or None,
        system=logged["system"],
        dimension=logged["dimension"],
        mark=tenant_revision.advance(),
    )


def facts(row: Waiver) -> dict[str, Any]:
    """Return the facts for a waiver's log entries."""
    system = queries.system_keys([row.system_id]).get(row.system_id, "")
    return {
        "system": system,
        "dimension": row.dimension,
        "value": row.value,
        "until": row.expires_at,
    }
