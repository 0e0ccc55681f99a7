from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from governance.assurance.controls.actions import AUTOMATIONS, COVERAGES, KINDS
from governance.assurance.controls.runtime_dependencies import RESTS_ON
from governance.assurance.evidence.forms import AssignForm, Readable, RetireForm
from governance.assurance.evidence.freshness import CADENCES
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.owner_fields import OwnerField
from governance.kernel.days import DayField
from governance.kernel.forms import Choice, Choices


class ControlForm(Readable):
    title = StringField("Title", [InputRequired("What is it called?"), Length(max=160)])
    does = TextAreaField(
        "What is done",
        [InputRequired("Say what is done and what proof it leaves."), Length(max=4000)],
        description="Who does what, how often, and the proof that it leaves.",
    )
    kind = SelectField("Kind", choices=[(k, k.capitalize()) for k in KINDS])
    automation = SelectField("Automation", choices=[(a, a.capitalize()) for a in AUTOMATIONS])
    cadence = SelectField(
        "Cadence", choices=[(c, c.capitalize()) for c in CADENCES], default="quarterly"
    )
    rests_on = Choice(
        "Rests also on",
        [Optional()],
        choices=[
            ("", "Evidence and tests alone"),
            *((key, text.capitalize()) for key, text in RESTS_ON.items()),
        ],
        description=(
            "A live fact that can lower its status: a failed drill, a waiver below the floor."
        ),
    )


class CreateForm(ControlForm):
    ref = StringField(
        "Ref",
        [
            InputRequired("A short name such as SEC-12."),
            Length(max=12),
            Regexp(
                r"(?i)^[a-z]{2,6}-[0-9]{1,4}$",
                message="A ref is letters, a dash and a number: SEC-12.",
            ),
        ],
        description="It stays with the control: SEC-12.",
    )
    owner_id = OwnerField()


class EditForm(ControlForm):
    version = HiddenField()


class MappingForm(Readable):
    requirement_id = Choice(
        "Requirement",
        [InputRequired("Choose a requirement.")],
        choices=lambda: [("", "Choose a requirement"), *requirement_choices()],
    )
    coverage = RadioField(
        "It answers",
        [InputRequired("Full or partial?")],
        choices=[(c, c.capitalize()) for c in COVERAGES],
        default="full",
    )


class MapForm(Readable):
    """The other way round: which controls answer for one requirement."""

    control_id = Choice("Control", [InputRequired("Choose a control.")])
    coverage = RadioField(
        "It answers",
        [InputRequired("Full or partial?")],
        choices=[(c, c.capitalize()) for c in COVERAGES],
        default="full",
    )


class RecordTestForm(Readable):
    tested_on = DayField("Tested on")
    sample = IntegerField(
        "Items tried",
        [
            InputRequired("How many items were tried?"),
            NumberRange(1, 1_000_000, "A test tries at least one item."),
        ],
        description="The size of the sample.",
    )
    failed = IntegerField(
        "Items that failed",
        [
            InputRequired("How many of them failed? 0 if none did."),
            NumberRange(0, 1_000_000, "None is 0."),
        ],
    )
    finding = TextAreaField(
        "Finding",
        [Length(max=2000)],
        description="Needed when an item failed: which one, and what was missing.",
    )
    retest_by = DayField("Retest by", required=False)


class AdoptForm(Readable):
    refs = Choices("Controls", [InputRequired("Choose at least one control.")])
    with_evidence = BooleanField(
        "Begin the evidence that they ask for",
        default=True,
        description="One piece for each thing that proves them, due in a quarter.",
    )


def requirement_choices() -> list[tuple[object, str]]:
    """(id, "NIST AI RMF 1.0 · MEASURE 2.7 Security and resilience") of everything that can be
    assessed.
    """
    return [
        (node.id, f"{each.title} · {node.ref} {node.title}")
        for each in frameworks.frameworks()
        for node in frameworks.requirements(each.id)
        if node.assessable
    ]


__all__ = [
    "AdoptForm",
    "AssignForm",
    "CreateForm",
    "EditForm",
    "MapForm",
    "MappingForm",
    "RecordTestForm",
    "RetireForm",
]
