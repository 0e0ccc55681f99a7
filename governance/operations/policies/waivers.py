"""Below the platform minimum for a while: one person requests it, two others approve it.

request, approve, reject, withdraw     nothing is lowered before the second approval
end_early                              the platform minimum applies again: that tightens, so one person does it
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.second_person import ApprovalRequest
from governance.kernel import clock, current, tenant_revision
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.operations.policies import queries
from governance.operations.policies.effective_policies import Standing
from governance.operations.policies.models import Waiver
from governance.operations.policies.platform_minimum import check_reason
from governance.operations.policies.policy_diff import mark, said
from governance.operations.policies.strictness import Value, covers, dimension, plain, read

ASKED = action(
    "waiver.asked",
    "asked for a waiver",
    target="Waiver",
    activity="create",
    severity="low",
    fields="system dimension value until",
    personal="compensation",
)
AGREED = action(
    "waiver.agreed",
    "agreed to a waiver, and one more has to",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension value until",
)
LIVE = action(
    "waiver.went_live",
    "agreed to a waiver, which is live",
    target="Waiver",
    activity="update",
    severity="medium",
    fields="system dimension value until mark",
)
REFUSED = action(
    "waiver.refused", "refused a waiver", target="Waiver", activity="update", severity="low", fields="system dimension"
)
WITHDRAWN = action(
    "waiver.withdrawn",
    "withdrew the request for a waiver",
    target="Waiver",
    activity="update",
    severity="low",
    fields="system dimension",
)
CLOSED = action(
    "waiver.closed", "ended a waiver early", target="Waiver", activity="update", severity="low", fields="system dimension mark"
)

MAX_LENGTH = timedelta(days=30)


def request(system_id: UUID, key: str, value: Value, *, expires_at: datetime, because: str, compensation: str) -> Waiver:
    """Below the floor in one dimension of one system, for at most 30 days; it takes two others to be live."""
    alone("waivers")
    now = queries.standing()
    system = next((s for s in now.systems if s.id == system_id), None)
    if system is None:
        raise NotFound("There is no such AI system here.")
    _check_waivable(now, key, value)
    check_reason(because)
    if not compensation.strip():
        raise Invalid("Say what is done instead, for as long as the floor does not hold.", field="compensation")
    _check_end(expires_at)
    if queries.standing_waiver(system_id, key) is not None:
        raise DomainError(f"A waiver of {key} for {system.key} is asked for or live already.", field="dimension")
    row = Waiver(
        system_id=system_id, dimension=key, value=plain(value), reason=because.strip(), compensation=compensation.strip(),
        expires_at=expires_at, state="asked", asked_by=current.person_id(), first_by=None, first_at=None, second_by=None,
        second_at=None, closed_by=None, closed_at=None,
    )  # fmt: skip
    session().add(row)
    record(ASKED, row, because=row.reason, compensation=row.compensation, until=expires_at, **_facts(row, system.key))
    return row


def _check_waivable(now: Standing, key: str, value: Value) -> None:
    dimension(key)
    if key in now.platform.unwaivable:
        raise Invalid(f"The operator lets nobody waive {key}.", field="dimension")
    floor = now.platform.floor.get(key)
    if floor is None:
        raise Invalid(f"The floor says nothing about {key}: there is nothing to waive.", field="dimension")
    if covers(key, value, floor):
        raise Invalid(f"{said(value)} is not below the floor, which is {said(floor)}: it needs no waiver.", field="value")


def _check_end(at: datetime) -> None:
    now = clock.now()
    if at <= now:
        raise Invalid("A waiver ends on a day that is still to come.", field="expires_on")
    if at > now + MAX_LENGTH:
        raise Invalid(f"A waiver lasts at most {MAX_LENGTH.days} days.", field="expires_on")


def _facts(row: Waiver, system: str | None = None) -> dict[str, Any]:
    key = system or queries.system_keys([row.system_id]).get(row.system_id, "")
    return {"system": key, "dimension": row.dimension, "value": row.value}


def fingerprint(row: Waiver, now: Standing) -> str:
    """Of the waiver, and of the floor that it would lift."""
    said_now = (row.dimension, row.value, row.reason, row.compensation, row.expires_at.isoformat(), row.state)
    floor = now.platform.floor.get(row.dimension)
    return mark(row.id, *said_now, str(row.first_by or ""), None if floor is None else plain(floor))


def approve(row: Waiver, *, seen: str) -> None:
    """The first of two others, or the second; with the second one it is live. All three are different persons."""
    alone("waivers")
    session().refresh(row, with_for_update=True)
    _check_open(row)
    approval_of(row).check()
    now = queries.standing()
    if seen != fingerprint(row, now):
        raise Stale("Somebody else agreed, or it or the floor changed, since you opened this page. Look at it again.")
    if row.system_id not in {s.id for s in now.systems}:
        raise DomainError("Its AI system was retired.")
    _check_waivable(now, row.dimension, read(row.dimension, row.value))
    _check_end(row.expires_at)
    if row.first_by is None:
        row.first_by, row.first_at = current.person_id(), clock.now()
        record(AGREED, row, until=row.expires_at, **_facts(row))
        return
    row.state, row.second_by, row.second_at = "live", current.person_id(), clock.now()
    record(LIVE, row, until=row.expires_at, mark=tenant_revision.move(), **_facts(row))


def reject(row: Waiver, because: str) -> None:
    session().refresh(row, with_for_update=True)
    _check_open(row)
    approval_of(row).check_rejection()
    check_reason(because)
    row.state, row.closed_by, row.closed_at = "refused", current.person_id(), clock.now()
    record(REFUSED, row, because=because, system=_facts(row)["system"], dimension=row.dimension)


def withdraw(row: Waiver) -> None:
    """Only who asked; while it is not live."""
    session().refresh(row, with_for_update=True)
    _check_open(row)
    if current.person_id() != row.asked_by:
        raise Forbidden("Only who asked can withdraw it.")
    row.state, row.closed_by, row.closed_at = "withdrawn", current.person_id(), clock.now()
    record(WITHDRAWN, row, system=_facts(row)["system"], dimension=row.dimension)


def end_early(row: Waiver, because: str = "") -> None:
    """The floor is back before its time: that tightens, so one person does it."""
    session().refresh(row, with_for_update=True)
    if row.state != "live" or row.expires_at <= clock.now():
        raise DomainError("That waiver is not live.")
    row.state, row.closed_by, row.closed_at = "ended", current.person_id(), clock.now()
    record(CLOSED, row, because=because.strip() or None, system=_facts(row)["system"], dimension=row.dimension, mark=tenant_revision.move())  # fmt: skip


def _check_open(row: Waiver) -> None:
    if row.state != "asked":
        raise DomainError("That waiver was decided or withdrawn already.")


def approval_of(row: Waiver) -> ApprovalRequest:
    """By two others; the second one is another person than the first, too."""
    first = current.person_id() == row.first_by
    own = (
        "You approved this already. The second approval takes another person."
        if first
        else "You requested this yourself, so two others decide."
    )
    return ApprovalRequest([row.asked_by, row.first_by], row.created_at, own=own)
