"""Forms of rollouts, their steps, and the freeze calendar."""

from typing import Any
from uuid import UUID

from wtforms import (
    DateTimeLocalField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length

from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.tenants.forms import one_line
from governance.kernel.web.forms import Choice, Form, constraint, stripped, uuid_or_none
from governance.operations.rollouts.actions import (
    MAX_RELEASE_LENGTH,
    MAX_TEXT_LENGTH,
    RolloutDraft,
)
from governance.operations.rollouts.freeze_actions import MAX_NAME_LENGTH
from governance.operations.rollouts.models import CHANGES, ON_FAILURE
from governance.operations.systems import queries as systems

constraint(
    "pk_rollouts",
    "This form was already sent and its rollout was planned. Open a new form for another one.",
)
REASON_NEEDED = "Enter a reason. It is kept in the audit log."
TIME_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def _features() -> list[tuple[Any, str]]:
    """Return each active feature with its system's name."""
    names = {each.id: each.name for each in systems.live_systems()}
    return [
        (each.id, f"{names[system_id]} · {each.key}")
        for system_id, features in systems.every_feature().items()
        for each in features
        if system_id in names
    ]


class RollbackPlanForm(Form):
    seen = HiddenField("Seen")
    rollback_plan = TextAreaField(
        "Rollback plan",
        [Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description=(
            "What happens besides serving the current release again, a line for each step. It is"
            " required before the first stage."
        ),
    )
    on_failure = RadioField(
        "If a guardrail fails",
        [InputRequired("Choose what a failed guardrail does.")],
        choices=list(ON_FAILURE.items()),
        default="halt",
        description="Meridian does this by itself. It never promotes or resumes a rollout.",
    )
    owner_id = OwnerField()


class RolloutForm(RollbackPlanForm):
    once = HiddenField("Once")
    feature_id = Choice(
        "Feature",
        [InputRequired("Choose the feature that the release changes.")],
        choices=lambda: [("", "Choose a feature"), *_features()],
    )
    change = SelectField(
        "What changes",
        [InputRequired("Choose what changes.")],
        choices=list(CHANGES.items()),
        default="model",
    )
    release = StringField(
        "New release",
        [DataRequired("Enter the new release."), Length(max=MAX_RELEASE_LENGTH)],
        filters=[one_line],
        description="As its evaluation runs name it, for example 2026.12.0.",
    )
    previous = StringField(
        "Current release",
        [DataRequired("Enter the current release."), Length(max=MAX_RELEASE_LENGTH)],
        filters=[one_line],
        description="What is served now, and after a rollback.",
    )
    summary = TextAreaField(
        "What is new",
        [DataRequired("Describe what is new in the release."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
    )

    @property
    def rollout_id(self) -> UUID | None:
        return uuid_or_none(self.once.data)

    def draft(self) -> RolloutDraft:
        """Return the submitted data. The choice of the feature was validated."""
        return RolloutDraft(
            feature_id=self.feature_id.data,
            change=self.change.data or "",
            release=self.release.data or "",
            previous=self.previous.data or "",
            summary=self.summary.data or "",
            rollback_plan=self.rollback_plan.data or "",
            on_failure=self.on_failure.data or "",
            owner_id=uuid_or_none(self.owner_id.data),
        )


class RolloutStepForm(Form):
    """A step of a rollout; `step` and `seen` name the step and the figures on the page."""

    step = HiddenField("Step")
    seen = HiddenField("Seen")
    reason = TextAreaField("Reason", [Length(max=MAX_TEXT_LENGTH)], filters=[stripped])


class RolloutStopForm(Form):
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
    )


class FreezeForm(Form):
    once = HiddenField("Once")
    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=MAX_NAME_LENGTH)],
        filters=[one_line],
        description="For example: Year-end close.",
    )
    starts_at = DateTimeLocalField("Start", [InputRequired("Choose a start.")], format=TIME_FORMATS)
    ends_at = DateTimeLocalField("End", [InputRequired("Choose an end.")], format=TIME_FORMATS)
