"""Forms for findings and for the controls that rest on measures."""

from typing import Any

from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from governance.assurance.controls import queries as controls
from governance.kernel.web.forms import Choice, Form, stripped

INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the list."}


class CloseForm(Form):
    note = TextAreaField(
        "What was done about it",
        [DataRequired("Enter what was done about it."), Length(max=2000)],
        filters=[stripped],
        description="It is shown on the finding and kept in the audit log.",
    )


class MappingForm(Form):
    measure = Choice("Measure", [InputRequired("Choose a measure.")], choices=[], **INVALID_CHOICE)
    control_id = Choice(
        "Control", [InputRequired("Choose a control.")], choices=controls.choices, **INVALID_CHOICE
    )


class UnmapForm(Form):
    """A form with only a button, to remove a mapping."""

    measure = StringField("Measure", [InputRequired("Choose a measure."), Length(max=41)])
    control_id = Choice(
        "Control", [InputRequired("Choose a control.")], choices=controls.choices, **INVALID_CHOICE
    )


class ProposedForm(Form):
    """A form with only a button, to accept the proposed mappings."""
