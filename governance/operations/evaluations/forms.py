"""Forms of suites and runs."""

from typing import Any

from wtforms import FileField, HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import member_choices
from governance.foundation.tenants.forms import one_line
from governance.kernel.web.forms import Choice, Form, constraint, stripped
from governance.operations.evaluations import queries
from governance.operations.evaluations.suites.task_packs import PACKS
from governance.operations.systems import queries as systems

constraint(
    "uq_evaluation_suites_tenant_id_key",
    "Another suite already has this slug. Choose another.",
    field="key",
)
INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the list."}
REASON_NEEDED = "Enter a reason. It is kept in the audit log."


def _packs() -> list[tuple[str, str]]:
    return [*((pack.key, pack.name) for pack in PACKS.values()), ("", "None: start empty")]


class SuiteForm(Form):
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[one_line])
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=41)],
        filters=[stripped],
        description=(
            "Lowercase letters, digits and hyphens, such as claims-grounding. Programs push runs"
            " under it, so it can't be changed later."
        ),
    )
    purpose = TextAreaField(
        "Purpose",
        [DataRequired("Describe what it evaluates."), Length(max=2000)],
        filters=[stripped],
        description="Which behavior of which kind of system it tests.",
    )
    pack = RadioField(
        "Task pack", [Optional()], choices=_packs, default=next(iter(PACKS)), **INVALID_CHOICE
    )
    owner_id = OwnerField(choices=member_choices)


class DraftForm(Form):
    seen = HiddenField()
    method = TextAreaField(
        "Method",
        [DataRequired("Describe how the cases are judged."), Length(max=4000)],
        filters=[stripped],
        description="Where the cases come from, how they are judged, and who or what judges them.",
    )
    task_success = TextAreaField(
        "A task is completed when",
        [Optional(), Length(max=2000)],
        filters=[stripped],
    )
    cases = IntegerField(
        "Number of cases",
        [Optional()],
        description="Leave it empty while the set still grows.",
    )
    cases_sha256 = StringField(
        "SHA-256 of the cases",
        [Optional(), Length(max=64)],
        filters=[stripped],
        description="The digest of the file with the cases. The cases stay with you.",
    )


class SuiteReasonForm(Form):
    """The reason to withdraw a version or retire a suite."""

    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


class PublishForm(Form):
    """A form with only a button."""


def _suites() -> list[tuple[Any, str]]:
    return [
        (suite.id, f"{suite.name}, version {number}") for suite, number in queries.open_suites()
    ]


def _systems() -> list[tuple[Any, str]]:
    return list(systems.choices())


class RunForm(Form):
    system_id = Choice(
        "AI system",
        [InputRequired("Choose an AI system.")],
        choices=_systems,
        **INVALID_CHOICE,
    )
    release = StringField(
        "Release",
        [DataRequired("Enter the release that was evaluated."), Length(max=60)],
        filters=[one_line],
        description="What was evaluated, such as 2026.11.2.",
    )
    suite_id = Choice(
        "Suite", [InputRequired("Choose a suite.")], choices=_suites, **INVALID_CHOICE
    )
    model = StringField(
        "Provider",
        [Optional(), Length(max=200)],
        filters=[one_line],
        description="Only for promptfoo results that compare several: the one that counts.",
    )
    file = FileField(
        "File",
        [InputRequired("Choose a file.")],
        description=(
            "A log of Inspect (.json, .eval), results of promptfoo (JSON, JSONL), a report of garak"
            " (JSONL), an Every Eval Ever document (JSON) or Meridian's own JSON."
        ),
    )


class RunRequestForm(Form):
    system_id = Choice(
        "AI system",
        [InputRequired("Choose an AI system.")],
        choices=_systems,
        **INVALID_CHOICE,
    )
    release = StringField(
        "Release",
        [DataRequired("Enter the release to evaluate."), Length(max=60)],
        filters=[one_line],
        description="What is evaluated, such as 2026.11.2.",
    )
    suite_id = Choice(
        "Suite", [InputRequired("Choose a suite.")], choices=_suites, **INVALID_CHOICE
    )
    samples = IntegerField(
        "Number of cases",
        [Optional()],
        description="Leave it empty for all cases of the suite.",
    )
