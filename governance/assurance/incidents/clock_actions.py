"""Record what affects an incident's clocks: laws, notices, pauses and responses.

assign_decider   assigns who decides whether a law applies, and by when
classify         decides that a law applies (and in which case of it), or not, with a reason
record_notice    records a sent notice, which ends its clock
pause, resume    stop and restart the time to resolve while the customer has to act
record_response  records a response of the support team other than a customer update
"""

from datetime import datetime
from uuid import UUID

from governance.assurance.incidents import deadlines, permissions, statutory_rules
from governance.assurance.incidents.models import Classification, ClockPause, Incident, SentNotice
from governance.assurance.incidents.statutory_rules import Regime
from governance.assurance.incidents.text_fields import MAX_LINE_LENGTH, optional, required
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.owners import check_may_own
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.intervals import whole_minute
from governance.kernel.safety.access import require

DECIDER_ASSIGNED = action(
    "incident.decider.assigned",
    "asked for a decision on whether a law applies to an incident",
    target="Classification",
    activity="update",
    severity="informational",
    fields="ref law decide_by",
    persons="decider",
)
CLASSIFIED = action(
    "incident.classified",
    "decided whether a law applies to an incident",
    target="Classification",
    activity="update",
    severity="medium",
    fields="ref law applies variant rules_version",
    shape="ok",
)
NOTICE_SENT = action(
    "incident.notice.sent",
    "recorded that a notice was sent to an authority",
    target="SentNotice",
    activity="create",
    severity="medium",
    fields="ref law stage sent_at reference recipient",
    shape="ok",
)
PAUSED = action(
    "incident.clock.paused",
    "paused the time to resolve an incident",
    target="ClockPause",
    activity="create",
    severity="low",
    fields="ref",
)
RESUMED = action(
    "incident.clock.resumed",
    "resumed the time to resolve an incident",
    target="ClockPause",
    activity="update",
    severity="low",
    fields="ref",
)
RESPONDED = action(
    "incident.response.recorded",
    "recorded the first response to the customer",
    target="Incident",
    activity="update",
    severity="low",
    fields="ref responded_at",
    shape="ok",
)


def _regime(key: str) -> Regime:
    found = statutory_rules.regime(key)
    if found is None:
        raise Invalid("Choose one of the listed laws.", field="regime")
    return found


def _row(incident: Incident, regime: Regime) -> Classification:
    lock_tenant(f"classification of {incident.id}")
    found = deadlines.classification(incident.id, regime.key, lock=True)
    if found is None:
        found = Classification(
            incident_id=incident.id,
            regime=regime.key,
            rules_version=statutory_rules.LATEST,
            version=0,
            created_at=clock.now(),
        )
        session().add(found)
    return found


def assign_decider(
    incident: Incident, regime_key: str, *, decider_id: UUID, decide_by: datetime | None = None
) -> Classification:
    """Assign a person to decide. The decision is in their inbox until somebody makes it."""
    require(permissions.CLASSIFY)
    regime = _regime(regime_key)
    check_may_own(decider_id)
    found = _row(incident, regime)
    if found.applies is not None:
        raise DomainError(f"{regime.name} is decided already.")
    found.decider_id, found.decide_by = decider_id, decide_by
    found.version += 1
    record(
        DECIDER_ASSIGNED,
        found,
        ref=incident.ref,
        law=regime.name,
        decide_by=decide_by,
        decider=decider_id,
    )
    return found


def classify(
    incident: Incident,
    regime_key: str,
    *,
    applies: bool,
    variant: str = "",
    reason: str = "",
    version: int | None = None,
) -> Classification:
    """Decide whether a law applies. A law that doesn't apply needs a reason and stays on the page.

    `version` is the version of the decision that the person saw. Raise Stale if another was made
    since. A decision can be changed until a notice under that law was sent.
    """
    require(permissions.CLASSIFY)
    regime = _regime(regime_key)
    found = _row(incident, regime)
    if version is not None and version != found.version:
        raise Stale("Someone else decided this meanwhile. Review their decision, then save again.")
    known = {each.key for each in regime.variants}
    if applies and variant and variant not in known:
        raise Invalid("Choose one of the listed cases.", field="variant")
    if not applies:
        sentence = f"Enter why {regime.name} doesn't apply."
        reason = required(reason, "reason", sentence, limit=MAX_LINE_LENGTH)
        if any(
            deadlines.notice(incident.id, regime.key, stage.key)
            for case in regime.variants
            for stage in case.stages
        ):
            raise DomainError(f"A notice under {regime.name} was sent, so it applies.")
    found.applies = applies
    found.variant = (variant or regime.variants[0].key) if applies else ""
    found.reason = optional(reason, "reason", limit=MAX_LINE_LENGTH)
    found.rules_version = statutory_rules.LATEST
    found.decider_id, found.decided_at = current.actor().person_id, clock.now()
    found.version += 1
    record(
        CLASSIFIED,
        found,
        ref=incident.ref,
        law=regime.name,
        applies=applies,
        variant=found.variant or None,
        rules_version=found.rules_version,
        reason=found.reason or None,
    )
    return found


def record_notice(
    incident: Incident,
    regime_key: str,
    stage_key: str,
    *,
    sent_at: datetime,
    recipient: str,
    reference: str = "",
) -> SentNotice:
    """Record that a notice was sent, which ends its clock.

    Raise an error if it was already sent or if the time is in the future.
    """
    require(permissions.CLASSIFY)
    regime = _regime(regime_key)
    decided = deadlines.classification(incident.id, regime.key, lock=True)
    if decided is None or not decided.applies:
        raise DomainError(f"Decide first that {regime.name} applies.")
    stages = {each.key: each for each in regime.variant(decided.variant).stages}
    if stage_key not in stages:
        raise Invalid("Choose one of the listed notices.", field="stage")
    if deadlines.notice(incident.id, regime.key, stage_key) is not None:
        raise DomainError(f"The {stages[stage_key].name.lower()} is recorded as sent already.")
    if sent_at > clock.now():
        raise Invalid("This time is in the future. Enter when it was sent.", field="sent_at")
    if sent_at < whole_minute(incident.aware_at):  # Form times are whole minutes.
        raise Invalid("This is before anybody was aware of the incident.", field="sent_at")
    made = SentNotice(
        incident_id=incident.id,
        regime=regime.key,
        stage=stage_key,
        sent_at=sent_at,
        sent_by=current.actor().person_id,
        recipient=required(recipient, "recipient", "Enter the recipient.", limit=MAX_LINE_LENGTH),
        reference=optional(reference, "reference", limit=MAX_LINE_LENGTH),
        created_at=clock.now(),
    )
    session().add(made)
    record(
        NOTICE_SENT,
        made,
        ref=incident.ref,
        law=regime.name,
        stage=stages[stage_key].name,
        sent_at=sent_at,
        recipient=made.recipient,
        reference=made.reference or None,
    )
    return made


# ---- support


def pause(incident: Incident, *, reason: str) -> ClockPause:
    """Pause the time to resolve while the customer has to act. Idempotent."""
    require(permissions.MANAGE, on=incident)
    lock_tenant(f"pauses of {incident.id}")
    there = deadlines.open_pause(incident.id, lock=True)
    if there is not None:
        return there
    if incident.resolved_at is not None:
        raise DomainError(f"{incident.ref} is resolved, so its clock has stopped.")
    made = ClockPause(
        incident_id=incident.id,
        starts_at=clock.now(),
        reason=required(
            reason, "reason", "Enter what the customer has to do.", limit=MAX_LINE_LENGTH
        ),
        paused_by=current.actor().person_id,
        created_at=clock.now(),
    )
    session().add(made)
    record(PAUSED, made, ref=incident.ref, reason=made.reason)
    return made


def resume(incident: Incident) -> None:
    """Resume the time to resolve."""
    require(permissions.MANAGE, on=incident)
    there = deadlines.open_pause(incident.id, lock=True)
    if there is not None:
        there.ends_at = clock.now()
        record(RESUMED, there, ref=incident.ref)


def record_response(incident: Incident, *, responded_at: datetime | None = None) -> None:
    """Record when the customer first got a response. Keeps the first record."""
    require(permissions.MANAGE, on=incident)
    at = responded_at or clock.now()
    if at > clock.now():
        raise Invalid("This time is in the future. Enter when it was.", field="responded_at")
    if incident.responded_at is None:
        incident.responded_at = at
        incident.version += 1
        record(RESPONDED, incident, ref=incident.ref, responded_at=at)
