from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Regexp

from governance.assurance.controls.control_record import CONTROL, ControlContent
from governance.assurance.controls.mapping_actions import COVERAGES
from governance.assurance.evidence.forms import ReadableForm
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.owner_fields import OwnerField
from governance.kernel.days import DayField
from governance.kernel.pages.record_pages import content_from, with_fields
from governance.kernel.web.forms import Choice, Choices


@with_fields(CONTROL)
class ControlForm(ReadableForm):
    def content(self) -> ControlContent:
        """Return the content for the actions. Call it after validation only."""
        return content_from(CONTROL, self)


class ControlCreateForm(ControlForm):
    ref = StringField(
        "Ref",
        [
            InputRequired("Enter a ref such as SEC-12."),
            Length(max=12),
            Regexp(
                r"(?i)^[a-z]{2,6}-[0-9]{1,4}$",
                message="Enter letters, a hyphen and a number, such as SEC-12.",
            ),
        ],
        description="For example SEC-12. It can't be changed later.",
    )
    owner_id = OwnerField()


class ControlEditForm(ControlForm):
    version = HiddenField()


class RequirementMappingForm(ReadableForm):
    requirement_id = Choice(
        "Requirement",
        [InputRequired("Choose a requirement.")],
        choices=lambda: [("", "Choose a requirement"), *requirement_choices()],
    )
    coverage = RadioField(
        "Coverage",
        [InputRequired("Choose full or partial.")],
        choices=[(c, c.capitalize()) for c in COVERAGES],
        default="full",
    )


class ControlMappingForm(ReadableForm):
    """A form to map a control, shown on the page of a requirement."""

    control_id = Choice("Control", [InputRequired("Choose a control.")])
    coverage = RadioField(
        "Coverage",
        [InputRequired("Choose full or partial.")],
        choices=[(c, c.capitalize()) for c in COVERAGES],
        default="full",
    )


class ControlTestForm(ReadableForm):
    tested_on = DayField("Tested on")
    sample = IntegerField(
        "Items tested",
        [
            InputRequired("Enter the number of tested items."),
            NumberRange(1, 1_000_000, "Enter at least one tested item."),
        ],
        description="The size of the sample.",
    )
    failed = IntegerField(
        "Failed items",
        [
            InputRequired("Enter the number of failed items, or 0."),
            NumberRange(0, 1_000_000, "Enter 0 or more failed items."),
        ],
    )
    finding = TextAreaField(
        "Finding",
        [Length(max=2000)],
        description="Required if an item failed. Name the item and what was missing.",
    )
    retest_by = DayField("Retest by", required=False)


class StarterPackForm(ReadableForm):
    refs = Choices("Controls", [InputRequired("Select at least one control.")])
    with_evidence = BooleanField(
        "Create the evidence items they need",
        default=True,
        description="The first versions are due in three months.",
    )


def requirement_choices() -> list[tuple[object, str]]:
    """Return (id, label) of every requirement that can be assessed.

    A label is "NIST AI RMF 1.0 · MEASURE 2.7 Security and resilience".
    """
    return [
        (node.id, f"{each.title} · {node.ref} {node.title}")
        for each in frameworks.frameworks()
        for node in frameworks.requirements(each.id)
        if node.assessable
    ]
