from typing import Any

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import member_assignees, member_choices
from governance.kernel.days import DayField
from governance.kernel.web.forms import Form, constraint, stripped
from governance.operations.systems.facts import FACTS, models_text
from governance.operations.systems.models import (
    AI_ACT_CLASSES,
    AUTONOMY,
    EU_ROLES,
    KINDS,
    LANES,
    STAGES,
    AISystem,
)

constraint(
    "uq_ai_systems_tenant_id_key",
    "Another AI system already has this slug. Choose another.",
    field="key",
)

constraint(
    "uq_ai_system_versions_tenant_id_system_id_number",
    "Someone else changed this AI system at the same moment. Try again.",
)

INVALID_RISK_CLASS: dict[str, Any] = {"invalid_choice_message": "Choose a risk class."}
FIRST_STAGES = ("proposed", "in_review", "live", "restricted")  # For registration
REASON_NEEDED = "Enter a reason. It is kept in the audit log."


def lanes() -> list[tuple[str, str]]:
    return list(LANES.items())


class SystemRegisterForm(Form):
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[stripped])
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=41)],
        filters=[stripped],
        description=(
            "Lowercase letters, digits and hyphens, such as claims-triage. It can't be changed"
            " later."
        ),
    )
    lane = RadioField(
        "Risk class",
        [InputRequired("Choose a risk class.")],
        choices=lanes,
        default="standard",
        **INVALID_RISK_CLASS,
    )
    stage = RadioField(
        "Lifecycle stage",
        [InputRequired("Choose a lifecycle stage.")],
        choices=[(stage, STAGES[stage]) for stage in FIRST_STAGES],
        invalid_choice_message="Choose one of the stages.",  # type: ignore[call-arg]
    )
    since = DayField(
        "In this stage since",
        description="The register is evidence: enter the day on which it really began.",
    )
    purpose = TextAreaField(
        "Purpose",
        [DataRequired("Describe its purpose."), Length(max=2000)],
        filters=[stripped],
        description="What it decides or produces, and who uses it.",
    )
    owner_id = OwnerField(choices=member_choices)


class SystemRetireForm(Form):
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


def _line(label: str, description: str = "") -> StringField:
    return StringField(label, filters=[stripped], description=description)


def _text(label: str, description: str = "") -> TextAreaField:
    return TextAreaField(label, filters=[stripped], description=description)


def _list(label: str, description: str = "One a line.") -> TextAreaField:
    return TextAreaField(label, description=description)


class SystemEditForm(Form):
    seen = HiddenField("Seen")
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[stripped])
    purpose = TextAreaField(
        "Purpose",
        [DataRequired("Describe its purpose."), Length(max=2000)],
        filters=[stripped],
        description="What it decides or produces, and who uses it.",
    )
    owner_id = OwnerField(choices=member_choices)
    kind = SelectField("Kind", choices=list(KINDS.items()))
    team = _line("Team", "The team that builds and runs it.")
    intended_users = _text("Intended users", "Who uses it and who is affected, with numbers.")
    autonomy = SelectField("Autonomy", choices=[("", "Not stated"), *AUTONOMY.items()])
    autonomy_note = _line(
        "Limits of its autonomy", "Such as: approves under €1,500, all else is advice."
    )
    ai_act_class = SelectField(
        "EU AI Act class", choices=[("", "Not classified yet"), *AI_ACT_CLASSES.items()]
    )
    ai_act_reason = _text(
        "Reasons for the EU AI Act class", "Name the article or the point of Annex III."
    )
    eu_role = SelectField(
        "Your role under the EU AI Act",
        choices=[("", "Not stated"), *EU_ROLES.items()],
        description="Duties differ by role. A change of the role is a substantial change.",
    )
    placed_on = DayField(
        "On the market or in service since",
        required=False,
        description="Some duties begin later for a system that was on the market before them.",
    )
    models = _list(
        "Models",
        "One a line: provider, name, version, the day the vendor retires it, and its successor."
        " Such as: Helio, helio-4-large, 2026-08, 2027-03-31, helio-5-medium. The price table"
        " corrects the day each night, if it has one.",
    )
    data_sets = _list("Data sets", "One a line, with its version.")
    dependencies = _list("Dependencies", "Services and vendors that it needs, one a line.")
    capabilities = _list("Capabilities", "What users are told that it can do, one a line.")
    limits = _list("Limits", "What users are told that it can't do, one a line.")
    memory_control = _line("Memory", "What users can turn off or delete.")
    sources_control = _line("Sources", "How users see the sources of an answer.")
    tone_control = _line("Tone", "How users change its tone.")
    verify_control = _line("Verify with search", "How users check an answer.")
    why_shown = _text(
        "Why am I seeing this", "The text behind that link, as users of your product read it."
    )
    tools = _list("Tools it may call", "Of an agent or MCP server, one a line.")
    tool_permissions = _list("Permissions", "What these tools may read or change, one a line.")
    reason = _line("Reason for this change", "It is kept with the version.")

    @classmethod
    def of(cls, system: AISystem) -> "SystemEditForm":
        """Return the form with the system's facts, replaced by the submitted values."""
        return cls(
            owner_id=system.owner_id,
            **{each.name: _shown(each.shape, getattr(system, each.name)) for each in FACTS},
        )

    def facts(self) -> dict[str, Any]:
        """Return the submitted facts, without name and purpose."""
        return {
            each.name: self[each.name].data
            for each in FACTS
            if each.name not in ("name", "purpose")
        }


def _shown(shape: str, value: Any) -> Any:
    if shape == "models":
        return models_text(value)
    return "\n".join(value) if shape == "lines" else value


class StageForm(Form):
    stage = RadioField(
        "Lifecycle stage",
        [InputRequired("Choose a lifecycle stage.")],
        choices=list(STAGES.items()),
        invalid_choice_message="Choose one of the stages.",  # type: ignore[call-arg]
    )
    since = DayField(
        "In this stage since", required=False, description="Today, if you leave it empty."
    )
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


class RecertifyForm(Form):
    valid_until = DayField("Valid until", description="The last day on which it may be used.")
    reason = TextAreaField(
        "What you checked, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


class StillValidForm(Form):
    record = RadioField(
        "Record",
        [InputRequired("Choose a record.")],
        invalid_choice_message="Choose one of the records.",  # type: ignore[call-arg]
    )
    reason = TextAreaField(
        "Why it is still valid, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


class AssignSystemsForm(Form):
    owner_id = OwnerField(required="Choose an owner.", choices=member_assignees)


class RiskClassForm(Form):
    lane = HiddenField("Lane")
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


class FeatureForm(Form):
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=41)],
        filters=[stripped],
        description=(
            "Lowercase letters, digits and hyphens, such as auto-approve. It can't be changed"
            " later."
        ),
    )
    fallback = StringField(
        "While it is stopped",
        [DataRequired("Describe what happens while it is stopped."), Length(max=200)],
        filters=[stripped],
        description=(
            "One line that people read before they stop it, such as: claims under €1,500 go to an"
            " adjuster."
        ),
    )
