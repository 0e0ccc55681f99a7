"""Forms of the policy.

What a value may be is the lattice's business (strictness.read); these say only which field it is
in.
"""

from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from governance.foundation.people.forms import stripped
from governance.kernel.days import ANY_DAY, DayField
from governance.kernel.forms import Choice, Form, constraint
from governance.operations.policies.strictness import DIMENSIONS, Dimension
from governance.operations.systems import queries as systems

WHY = "Say why: the reason is kept in the log."
REASON = "Enter a reason. It is kept in the audit log."
LONGEST = Length(max=2000)

constraint(
    "uq_policy_versions_open",
    "Somebody else began a draft at the same moment. Look at it, then save again.",
)
constraint(
    "uq_policy_versions_tenant_id_number",
    "Another version came into force at the same moment. Look at it, then save again.",
)
constraint(
    "uq_platform_policies_open",
    "Another operator requested a change at the same moment. Review it, then try again.",
)
constraint(
    "uq_platform_policies_number",
    "Another version was activated at the same moment. Review it, then save again.",
)


def dimensions() -> list[tuple[str, str]]:
    return [(key, f"{d.title} ({key})") for key, d in DIMENSIONS.items()]


def scopes() -> list[tuple[object, str]]:
    return [
        ("", "Every AI system of this tenant"),
        *((system_id, name) for system_id, name in systems.choices()),
    ]


class ChangeForm(Form):
    """The verb says what becomes of the content: apply, draft, ask or schedule."""

    verb = HiddenField("Verb")
    tier = HiddenField("Tier")
    on = HiddenField("On")
    base = HiddenField("Base")
    seen = HiddenField("Seen")
    reason = TextAreaField("Reason, kept in the audit log", [LONGEST], filters=[stripped])
    apply_at = DateTimeLocalField(
        "Takes effect", [Optional()], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )


class PickForm(Form):
    """Which value is to be overridden, before it is."""

    system = Choice("For", choices=scopes)
    dimension = SelectField("Setting", choices=dimensions)


class OverrideForm(Form):
    """One of the three fields, as the dimension takes it."""

    verb = HiddenField("Verb")
    seen = HiddenField("Seen")
    level = RadioField("Level", choices=[], validate_choice=False)
    number = StringField("Number", [Length(max=20)], filters=[stripped])
    names = TextAreaField("Models", [Length(max=20_000)])


class DraftForm(Form):
    """`seen` is the open version as the page showed it."""

    seen = HiddenField("Seen")


class BackForm(Form):
    seen = HiddenField("Seen")
    reason = TextAreaField("Reason", [InputRequired(WHY), LONGEST], filters=[stripped])


class WaiverForm(Form):
    system = Choice("AI system", [InputRequired("Choose an AI system.")], choices=systems.choices)
    dimension = SelectField("Setting", choices=dimensions)
    value = StringField(
        "Value while it is waived",
        [InputRequired("Enter the value that applies instead."), Length(max=2000)],
        filters=[stripped],
    )
    expires_on = DayField(
        "Ends on", required="Choose the day on which the waiver ends.", bounds=ANY_DAY
    )
    reason = TextAreaField(
        "Reason, kept in the audit log", [InputRequired(REASON), LONGEST], filters=[stripped]
    )
    compensation = TextAreaField(
        "What is done instead",
        [
            InputRequired("Describe what is done instead while the platform minimum is waived."),
            LONGEST,
        ],
        filters=[stripped],
    )


class EndForm(Form):
    """Ending a waiver early."""

    reason = TextAreaField("Reason, kept in the audit log", [LONGEST], filters=[stripped])


class PlatformForm(Form):
    """What frames a change of the operator's layer; its values are read by the view, dimension by
    dimension.
    """

    verb = HiddenField("Verb")
    base = HiddenField("Base")
    until = DayField("The looser minimum ends on", required=False, bounds=ANY_DAY)
    reason = TextAreaField("Reason, kept in the audit log", [LONGEST], filters=[stripped])


def _value(which: Dimension, *, blank: bool) -> Field:
    """A level is chosen, anything else is typed; in the floor nothing may be said."""
    if which.levels:
        choices = [("", "no minimum")] if blank else []
        return SelectField(
            which.title,
            choices=[
                *choices,
                *((level.value, f"{level.value}: {level.means}") for level in which.levels),
            ],
        )
    return StringField(which.title, [Length(max=20_000)], filters=[stripped])


def value_name(key: str) -> str:
    """The name of a dimension's field; a dimension may be called like a field of the frame."""
    return f"value_{key}"


def _with_values(name: str, base: type[PlatformForm], *, blank: bool) -> type[Any]:
    return type(
        name, (base,), {value_name(key): _value(d, blank=blank) for key, d in DIMENSIONS.items()}
    )


class _FloorForm(PlatformForm):
    unwaivable = SelectMultipleField("Can't be waived", choices=dimensions)


class _TierForm(PlatformForm):
    key = StringField("Short name", [Length(max=40)], filters=[stripped])
    name = StringField("Name", [InputRequired("Enter a name."), Length(max=60)], filters=[stripped])
    means = StringField("What it means", [Length(max=200)], filters=[stripped])
    four_eyes = BooleanField("Tightening takes two people, too")


FloorForm = _with_values("FloorForm", _FloorForm, blank=True)
TierForm = _with_values("TierForm", _TierForm, blank=False)
