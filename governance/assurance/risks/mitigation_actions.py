"""Add controls to a risk and remove them. A control lowers the score while it is effective."""

from uuid import UUID

from governance.assurance.controls import queries as controls
from governance.assurance.risks import (
    acceptance_actions,
    actions,
    permissions,
    queries,
    scales,
    score_actions,
)
from governance.assurance.risks.models import Risk, RiskControl
from governance.assurance.risks.scoring import AXES
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import require

ADDED = action(
    "risk.control.added",
    "added a control to a risk",
    target="Risk",
    activity="update",
    severity="informational",
    fields="ref control reduces steps",
)
REMOVED = action(
    "risk.control.removed",
    "removed a control from a risk",
    target="Risk",
    activity="update",
    severity="low",
    fields="ref control reduces steps",
)
MAX_CONTROLS = 30  # Per risk.


class ControlAdded(DomainError):
    pass


def add_control(risk: Risk, control_id: UUID, *, reduces: str, steps: int) -> None:
    """Add a control with what it lowers while it is effective. Idempotent."""
    require(permissions.WORK, on=risk)
    actions.check_is_open(risk)
    control = controls.find_control(control_id)
    _check_effect(risk, reduces, steps)
    if (there := queries.control_link(risk.id, control.id)) is not None:
        if (there.reduces, there.steps) == (reduces, steps):
            return
        raise ControlAdded(
            f"{control.ref} already mitigates {risk.ref}. Remove it first.", field="control_id"
        )
    if control.retired_at is not None:
        raise Invalid(
            f"{control.ref} was retired. Choose a control that is in use.", field="control_id"
        )
    if len(queries.posture_of(risk).mitigations) >= MAX_CONTROLS:
        raise Invalid(f"A risk has up to {MAX_CONTROLS} controls.", field="control_id")
    acceptance_actions.void_request(risk, f"{control.ref} was added to {risk.ref}.")
    session().add(RiskControl(risk_id=risk.id, control_id=control.id, reduces=reduces, steps=steps))
    record(ADDED, risk, ref=risk.ref, control=control.ref, reduces=reduces, steps=steps)
    score_actions.keep_score(risk)


def remove_control(risk: Risk, control_id: UUID) -> None:
    """Remove a control. Idempotent."""
    require(permissions.WORK, on=risk)
    actions.check_is_open(risk)
    control = controls.find_control(control_id)
    link = queries.control_link(risk.id, control.id)
    if link is None:
        return
    acceptance_actions.void_request(risk, f"{control.ref} was removed from {risk.ref}.")
    session().delete(link)
    record(REMOVED, risk, ref=risk.ref, control=control.ref, reduces=link.reduces, steps=link.steps)
    score_actions.keep_score(risk)


def _check_effect(risk: Risk, reduces: str, steps: int) -> None:
    scale: scales.Scale = queries.scales()[risk.scale_number]
    if reduces not in AXES:
        raise Invalid("Choose what the control lowers.", field="reduces")
    most = scale.steps[0 if reduces == "likelihood" else 1] - 1
    if not 1 <= steps <= most:
        raise Invalid(f"Enter 1 to {most} steps.", field="steps")
