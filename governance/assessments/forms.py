from wtforms import BooleanField, DateField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.assessments.coverage import LEVELS
from governance.kernel.forms import Choice, Form

LEVEL_CHOICES = [(n, f"{n} {word}") for n, word in enumerate(LEVELS)]


class BeginForm(Form):
    title = StringField("Title", [InputRequired("Name the period, such as Q4 2026."), Length(max=120)])
    scope = SelectField("Scope", validate_choice=True)
    period_from = DateField("Period from", [InputRequired("When does the period begin?")])
    period_to = DateField("Period to", [InputRequired("When does the period end?")])
    targets = SelectField("Targets", coerce=str)


class ConcludeForm(Form):
    level = RadioField("Level, in your judgement", coerce=int, choices=LEVEL_CHOICES, validators=[InputRequired("Choose the level that you conclude.")])
    rationale = TextAreaField("Why", [InputRequired("Say why: the conclusion is what a reader relies on."), Length(max=4000)])
    version = HiddenField()


class SignForm(Form):
    revision = IntegerField("Revision", [InputRequired(), NumberRange(min=1)])


class ReturnForm(Form):
    because = TextAreaField("What is missing", [InputRequired("Say what is missing: the assessor needs to know."), Length(max=2000)])
    revision = HiddenField()


class CommentForm(Form):
    text = TextAreaField("Add to the discussion", [InputRequired("Write something first."), Length(max=2000)])


class SteerForm(Form):
    target = SelectField("Target", coerce=int, choices=LEVEL_CHOICES)
    owner_id = Choice("Owner", [Optional()])
    due_on = DateField("Due", [Optional()])
    version = HiddenField()


class CloseForm(Form):
    accept_open = BooleanField("Close it all the same: what is not signed off stays marked as such")


def number(text: str | None) -> int:
    """A hidden version or revision; nonsense is a version that nobody has."""
    return int(text) if (text or "").isdigit() else -1


