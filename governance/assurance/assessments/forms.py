from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from governance.assurance.assessments.coverage import LEVELS
from governance.assurance.evidence.forms import ReadableForm
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import assignee_choices
from governance.kernel.days import DayField
from governance.kernel.web.forms import Form
from governance.operations.systems import queries as systems

LEVEL_CHOICES = [(n, f"{n} {word}") for n, word in enumerate(LEVELS)]


def framework_choices() -> list[tuple[str, str]]:
    return [(str(each.id), each.name) for each in frameworks.frameworks()]


def scope_choices() -> list[tuple[str, str]]:
    """Return the organization and each live AI system, by its slug."""
    return [
        ("organisation", "The whole organization"),
        *((each.key, each.name) for each in systems.live_systems()),
    ]


class AssessmentStartForm(ReadableForm):
    framework = SelectField("Framework", choices=framework_choices)
    title = StringField(
        "Title",
        [InputRequired("Enter a title, for example Q4 2026."), Length(max=120)],
        description="Shown in headings and on the report.",
    )
    scope = SelectField("Scope", choices=scope_choices)
    period_from = DayField("Period from")
    period_to = DayField(
        "Period to", description="Up to three years. Evidence is judged over this period."
    )
    targets = SelectField(
        "Targets",
        choices=[
            ("last", "Same as the last assessment, or 3 Evidenced"),
            *((str(n), text) for n, text in LEVEL_CHOICES[1:]),
        ],
    )


class ConclusionForm(ReadableForm):
    level = RadioField(
        "Concluded level",
        [InputRequired("Choose a level.")],
        coerce=int,
        choices=LEVEL_CHOICES,
    )
    rationale = TextAreaField(
        "Rationale",
        [
            InputRequired("Explain your conclusion. Readers of the report rely on it."),
            Length(max=4000),
        ],
        description=(
            "What you reviewed, and what prevents a higher level. The report includes this text."
        ),
    )
    revision = HiddenField()


class SignOffForm(Form):
    revision = HiddenField(validators=[InputRequired()])


class ConclusionReturnForm(ReadableForm):
    reason = TextAreaField(
        "What is missing",
        [
            InputRequired("Explain what is missing, so the assessor can revise the conclusion."),
            Length(max=2000),
        ],
    )
    revision = HiddenField()


class RequirementCommentForm(Form):
    text = TextAreaField("Comment", [InputRequired("Write a comment first."), Length(max=2000)])


class RequirementPlanForm(ReadableForm):
    target = SelectField("Target", coerce=int, choices=LEVEL_CHOICES)
    owner_id = OwnerField()
    due_on = DayField("Due", required=False)
    version = HiddenField()


class RequirementAssignForm(ReadableForm):
    """A form to assign several requirements. An empty field changes nothing."""

    owner_id = OwnerField(choices=lambda: assignee_choices("Keep each owner"))
    due_on = DayField("Due", required=False)

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        if fine and not self.owner_id.data and not self.due_on.data:
            self.owner_id.errors = ["Choose an owner or a due date."]
            return False
        return fine


class AssessmentCloseForm(Form):
    accept_open = BooleanField("Close anyway. Unsigned conclusions are marked as not signed off.")
