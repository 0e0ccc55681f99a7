from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from governance.assurance.assessments.coverage import LEVELS
from governance.assurance.evidence.forms import Readable
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import assignee_choices
from governance.kernel.days import DayField
from governance.kernel.forms import Form
from governance.operations.systems import queries as systems

LEVEL_CHOICES = [(n, f"{n} {word}") for n, word in enumerate(LEVELS)]


def framework_choices() -> list[tuple[str, str]]:
    return [(str(each.id), each.name) for each in frameworks.frameworks()]


def scope_choices() -> list[tuple[str, str]]:
    """The organisation, or one live AI system by its short name."""
    return [
        ("organisation", "The whole organisation"),
        *((each.key, each.name) for each in systems.live_systems()),
    ]


class BeginForm(Readable):
    framework = SelectField("Framework", choices=framework_choices)
    title = StringField(
        "Title",
        [InputRequired("Name the period, such as Q4 2026."), Length(max=120)],
        description="Short: it stands in headings and on the report.",
    )
    scope = SelectField("Scope", choices=scope_choices)
    period_from = DayField("Period from")
    period_to = DayField(
        "Period to", description="Three years at most. Evidence is judged over this period."
    )
    targets = SelectField(
        "Targets",
        choices=[
            ("last", "as in the last assessment, otherwise 3"),
            *((str(n), text) for n, text in LEVEL_CHOICES[1:]),
        ],
    )


class ConcludeForm(Readable):
    level = RadioField(
        "Level, in your judgement",
        [InputRequired("Choose the level that you conclude.")],
        coerce=int,
        choices=LEVEL_CHOICES,
    )
    rationale = TextAreaField(
        "Why",
        [InputRequired("Say why: the conclusion is what a reader relies on."), Length(max=4000)],
        description=(
            "What you looked at, and what keeps it from a higher level. The report prints it."
        ),
    )
    revision = HiddenField()


class SignForm(Form):
    revision = HiddenField(validators=[InputRequired()])


class ReturnForm(Readable):
    reason = TextAreaField(
        "What is missing",
        [InputRequired("Say what is missing: the assessor needs to know."), Length(max=2000)],
    )
    revision = HiddenField()


class CommentForm(Form):
    text = TextAreaField(
        "Add to the discussion", [InputRequired("Write something first."), Length(max=2000)]
    )


class SteerForm(Readable):
    target = SelectField("Target", coerce=int, choices=LEVEL_CHOICES)
    owner_id = OwnerField()
    due_on = DayField("Due", required=False)
    version = HiddenField()


class AssignForm(Readable):
    """Of several requirements: what isn't chosen stays as it is."""

    owner_id = OwnerField(choices=lambda: assignee_choices("Keep each owner"))
    due_on = DayField("Due", required=False)

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        if fine and not self.owner_id.data and not self.due_on.data:
            self.owner_id.errors = ["Choose an owner or a due date."]
            return False
        return fine


class CloseForm(Form):
    accept_open = BooleanField("Close it all the same: what is not signed off stays marked as such")
