"""Forms of policies. `dimensions.read` checks the values; the forms only name their fields."""

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

from governance.kernel.days import ANY_DAY, DayField
from governance.kernel.web.forms import Choice, Form, constraint, stripped
from governance.operations.policies.dimensions import DIMENSIONS, Dimension
from governance.operations.systems import queries as systems

REASON = "Enter a reason. It is kept in the audit log."
MAX_REASON = Length(max=2000)

constraint(
    "uq_policy_versions_open",
    "Someone else created a draft at the same moment. Review it, then save again.",
)
constraint(
    "uq_policy_versions_tenant_id_number",
    "Another version was published at the same moment. Review it, then save again.",
)
constraint(
    "uq_platform_policies_open",
    "Another operator requested a change at the same moment. Review it, then try again.",
)
constraint(
    "uq_platform_policies_number",
    "Another version was published at the same moment. Review it, then save again.",
)


def dimensions() -> list[tuple[str, str]]:
    return [(key, d.title) for key, d in DIMENSIONS.items()]


def scopes() -> list[tuple[object, str]]:
    return [
        ("", "Every AI system"),
        *((system_id, name) for system_id, name in systems.choices()),
    ]


class PolicyChangeForm(Form):
    """A change of the content; the verb is apply, draft, ask or schedule."""

    verb = HiddenField("Verb")
    tier = HiddenField("Tier")
    on = HiddenField("On")
    base = HiddenField("Base")
    seen = HiddenField("Seen")
    reason = TextAreaField("Reason, kept in the audit log", [MAX_REASON], filters=[stripped])
    apply_at = DateTimeLocalField(
        "Takes effect", [Optional()], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )


class OverrideScopeForm(Form):
    """The setting to override, and its scope: the tenant or an AI system."""

    system = Choice("Applies to", choices=scopes)
    dimension = SelectField("Setting", choices=dimensions)


class OverrideForm(Form):
    """A level, a number or names, depending on the dimension."""

    verb = HiddenField("Verb")
    seen = HiddenField("Seen")
    level = RadioField("Level", choices=[], validate_choice=False)
    number = StringField("Number", [Length(max=20)], filters=[stripped])
    names = TextAreaField("Models", [Length(max=20_000)])


class PolicyDraftForm(Form):
    """A change of the draft. `seen` is the revision of the open version that the page showed."""

    seen = HiddenField("Seen")


class RollbackForm(Form):
    seen = HiddenField("Seen")
    reason = TextAreaField("Reason", [InputRequired(REASON), MAX_REASON], filters=[stripped])


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
        "Reason, kept in the audit log", [InputRequired(REASON), MAX_REASON], filters=[stripped]
    )
    compensation = TextAreaField(
        "Compensating measure",
        [
            InputRequired(
                "Describe the compensating measure: what you do while the minimum is waived."
            ),
            MAX_REASON,
        ],
        filters=[stripped],
    )


class WaiverEndForm(Form):
    """A form that ends a waiver early."""

    reason = TextAreaField("Reason, kept in the audit log", [MAX_REASON], filters=[stripped])


class PlatformForm(Form):
    """A change of the operator's layer. The view reads its values, one field per dimension."""

    verb = HiddenField("Verb")
    base = HiddenField("Base")
    until = DayField("The looser minimum ends on", required=False, bounds=ANY_DAY)
    reason = TextAreaField("Reason, kept in the audit log", [MAX_REASON], filters=[stripped])


def _value(which: Dimension, *, blank: bool) -> Field:
    """Return a menu of levels, or a text field. A blank value sets no minimum."""
    if which.levels:
        choices = [("", "No minimum")] if blank else []
        return SelectField(
            which.title,
            choices=[
                *choices,
                *((level.value, f"{level.label}: {level.means}") for level in which.levels),
            ],
        )
    return StringField(which.title, [Length(max=20_000)], filters=[stripped])


def value_name(key: str) -> str:
    """Return the name of a dimension's field, which can't clash with the form's own fields."""
    return f"value_{key}"


def _with_values(name: str, base: type[PlatformForm], *, blank: bool) -> type[Any]:
    return type(
        name, (base,), {value_name(key): _value(d, blank=blank) for key, d in DIMENSIONS.items()}
    )


class _FloorForm(PlatformForm):
    unwaivable = SelectMultipleField("Can't be waived", choices=dimensions)


class _TierForm(PlatformForm):
    key = StringField("Slug", [Length(max=40)], filters=[stripped])
    name = StringField("Name", [InputRequired("Enter a name."), Length(max=60)], filters=[stripped])
    means = StringField("Description", [Length(max=200)], filters=[stripped])
    four_eyes = BooleanField("Tightening needs two people, too")


FloorForm = _with_values("FloorForm", _FloorForm, blank=True)
TierForm = _with_values("TierForm", _TierForm, blank=False)
