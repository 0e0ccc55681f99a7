"""Request, accept, confirm and end the acceptance of a risk until a day.

    request                 bound to the current residual score; an edit voids it
    accept, close_request   called by the approval when it is given or ends otherwise
    lapse_of_system         makes acceptances stale after a substantial change of a system
    confirm                 confirms that a stale acceptance is still valid

Neither the requester nor the owner of the risk may accept it or confirm its acceptance.
"""

from datetime import date, timedelta
from uuid import UUID

from governance.assurance.risks import permissions, queries, score_actions
from governance.assurance.risks.models import Risk, RiskAcceptance
from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.own_accounts import own_accounts
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import require
from governance.operations.systems import queries as systems
from governance.operations.systems.events import SystemChanged
from governance.operations.systems.facts import listed

REQUESTED = action(
    "risk.acceptance.requested",
    "requested the acceptance of a risk",
    target="Risk",
    activity="create",
    severity="low",
    fields="ref score expires_on",
)
ACCEPTED = action(
    "risk.acceptance.approved",
    "accepted a risk",
    target="Risk",
    activity="update",
    severity="medium",
    fields="ref score expires_on",
    shape="ok",
)
REJECTED = action(
    "risk.acceptance.rejected",
    "rejected the acceptance of a risk",
    target="Risk",
    activity="update",
    severity="low",
    fields="ref score expires_on",
)
CONFIRMED = action(
    "risk.acceptance.confirmed",
    "confirmed that the acceptance of a risk is still valid",
    target="Risk",
    activity="update",
    severity="medium",
    fields="ref score",
    shape="ok",
)
LOCK = "risk acceptances"
MAX_REASON_LENGTH = 2000


class NotScored(DomainError):
    """The risk is scored on a scale that is no longer in use."""


def request(risk: Risk, *, reason: str, expires_on: date, seen: tuple[int, int]) -> RiskAcceptance:
    """Request the acceptance until the end of a day. Idempotent.

    `seen` is the residual likelihood and impact that the requester saw.
    """
    require(permissions.WORK, on=risk)
    if risk.closed_at is not None:
        raise DomainError(f"{risk.ref} was closed on {formatting.long_day(risk.closed_at)}.")
    lock_tenant(LOCK)
    existing = queries.open_request(risk.id, lock=True)
    if existing is not None and not approvals.close_expired(queries.APPROVAL, existing.id):
        return existing
    if not reason.strip():
        raise Invalid("Enter a reason. The approver reads it.", field="reason")
    if len(reason.strip()) > MAX_REASON_LENGTH:
        raise Invalid(f"Use up to {MAX_REASON_LENGTH:,} characters.", field="reason")
    if risk.owner_id is None:
        raise DomainError(f"{risk.ref} has no owner. Assign one before someone accepts it.")
    found = queries.posture_of(risk)
    if not found.is_comparable:
        raise NotScored(f"The scale has other steps now. Score {risk.ref} again first.")
    _check_expiry(expires_on, queries.scale().max_acceptance_days)
    after = found.residual
    if seen != (after.likelihood, after.impact):
        raise DomainError(
            f"The residual score of {risk.ref} is {after.score} now. Review it, then request again."
        )
    made = RiskAcceptance(
        risk_id=risk.id,
        state="requested",
        scale_number=risk.scale_number,
        likelihood=after.likelihood,
        impact=after.impact,
        reason=reason.strip(),
        expires_on=expires_on,
        requested_by=current.person_id(),
        requested_at=clock.now(),
        accepted_by=None,
        accepted_at=None,
        stale_at=None,
    )
    session().add(made)
    session().flush()
    until = formatting.long_day(expires_on)
    approvals.request(
        queries.APPROVAL,
        made.id,
        summary=f"accept {risk.ref} {risk.title} at {after.score} until {until}",
        reason=made.reason,
        about=risk.owner_id,
    )
    return made


def latest_day(max_days: int) -> date:
    """Return the last expiry day that a request can have today."""
    return clock.today() + timedelta(days=max_days)


def _check_expiry(day: date, max_days: int) -> None:
    if day <= clock.today():
        raise Invalid("Enter a day after today.", field="expires_on")
    if day > (last := latest_day(max_days)):
        raise Invalid(
            f"An acceptance lasts up to {formatting.plural(max_days, 'day')} here. Enter a day up"
            f" to {formatting.long_day(last)}.",
            field="expires_on",
        )


def void_request(risk: Risk, reason: str) -> None:
    """Void the open request of a risk. Call this before changing the risk."""
    lock_tenant(LOCK)
    if (there := queries.open_request(risk.id, lock=True)) is not None:
        approvals.void(queries.APPROVAL, there.id, reason=reason)


def accept(risk: Risk, acceptance: RiskAcceptance) -> None:
    """Record that a second person accepted the risk. This replaces the earlier acceptance."""
    for earlier in queries.given_acceptances([risk.id]):
        earlier.state = "replaced"
    session().flush()
    acceptance.state = "accepted"
    acceptance.accepted_by, acceptance.accepted_at = current.person_id(), clock.now()


def close_request(acceptance: RiskAcceptance, state: str) -> None:
    """Record that the request ended without an acceptance."""
    acceptance.state = state


def confirm(risk_id: UUID, reason: str) -> None:
    """Make the risk's stale acceptance valid again. Raise DomainError if its score changed since."""
    require(permissions.ACCEPT)
    lock_tenant(LOCK)
    risk = queries.find_risk(risk_id, lock=True)
    given = next(iter(queries.given_acceptances([risk.id])), None)
    if given is None or given.stale_at is None:
        raise DomainError(f"The acceptance of {risk.ref} isn't stale any more.")
    if own_accounts(current.actor()) & {risk.owner_id, given.requested_by}:
        raise DomainError(
            f"You own {risk.ref} or requested its acceptance, so another person must confirm it."
        )
    if _score_changed(risk, given):
        raise DomainError(
            f"The score of {risk.ref} changed after it was accepted at {given.score}. Request its"
            " acceptance again."
        )
    given.stale_at, given.stale_reason = None, ""
    record(CONFIRMED, risk, reason=reason, ref=risk.ref, score=given.score)


def _score_changed(risk: Risk, given: RiskAcceptance) -> bool:
    """Check whether the score is different now, or was at any time since the acceptance."""
    accepted, found = (given.likelihood, given.impact), queries.posture_of(risk)
    later = [
        (each.residual_likelihood, each.residual_impact)
        for each in queries.scores(risk.id)
        if given.accepted_at is None or each.at > given.accepted_at
    ]
    now = (found.residual.likelihood, found.residual.impact)
    return not found.is_comparable or any(each != accepted for each in [*later, now])


def lapse_of_system(changed: SystemChanged) -> None:
    """Make the acceptances of a system's risks stale after a substantial change."""
    if not changed.substantial:
        return
    system = systems.system(changed.system_id)
    reason = f"{system.name} changed in version {changed.version}: {listed(changed.substantial)}."
    risks = queries.risks_naming(system.id)
    for risk in risks:
        void_request(risk, reason)
    score_actions.lapse_all(risks, reason)  # This calls record().
