"""Forms of playbooks and their runs. `sent_steps` reads the steps, which are plain fields."""

import re
from typing import Any

from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from governance.assurance.playbooks import actions
from governance.assurance.playbooks.steps import PlaybookStep
from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import assignee_choices
from governance.foundation.tenants.forms import one_line
from governance.kernel.web.forms import Form, stripped, submission

EMPTY_ROWS = 3
STEP_FIELD = re.compile(r"step-[0-9]{1,3}-(title|detail|does|link)", re.ASCII)


def _interval(value: Any) -> int | None:
    return int(value) if str(value or "").isdecimal() else None


class PlaybookForm(Form):
    seen = HiddenField("Seen")
    title = StringField(
        "Title",
        [DataRequired("Enter a title, such as Ungrounded output."), Length(max=120)],
        filters=[one_line],
    )
    used_for = TextAreaField(
        "When to use it",
        [DataRequired("Describe in a sentence when to use it."), Length(max=2000)],
        filters=[stripped],
        description="The kind of incident, and how you recognize it.",
    )
    owner_id = OwnerField()
    drill_every_days = SelectField(
        "Drill",
        [Optional()],
        choices=lambda: [("", "No regular drill"), *actions.DRILL_INTERVALS.items()],
        coerce=_interval,
        default="",
        description="Meridian puts the next drill in the owner's inbox.",
    )
    reason = TextAreaField(
        "What changed",
        [Optional(), Length(max=2000)],
        filters=[stripped],
        description="Required when you change the steps. People who run the playbook read it.",
    )


class AssignPlaybooksForm(Form):
    owner_id = OwnerField(required="Choose an owner.", choices=assignee_choices)


class PlaybookRetireForm(Form):
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired("Enter a reason. It is kept in the audit log."), Length(max=2000)],
        filters=[stripped],
    )


class StepForm(Form):
    note = TextAreaField(
        "Note",
        [Optional(), Length(max=2000)],
        filters=[stripped],
        description="What you found. To skip the step, enter why.",
    )


class RunEndForm(Form):
    summary = TextAreaField(
        "Summary",
        [Optional(), Length(max=2000)],
        filters=[stripped],
        description="What worked, and what to change in the playbook.",
    )


def sent_steps() -> list[PlaybookStep]:
    """Return the steps that a form sent, in order, without empty rows."""
    fields, steps = submission().fields, list[PlaybookStep]()
    rows = sorted(
        {int(name.split("-")[1]) for name in fields if _is_step_field(name)},
    )
    for row in rows:
        title = one_line(fields.get(f"step-{row}-title", ""))
        detail = fields.get(f"step-{row}-detail", "").strip()
        kind, _, target = fields.get(f"step-{row}-does", "instruction").partition(":")
        link = fields.get(f"step-{row}-link", "").strip()
        if title or detail or link:
            steps.append(PlaybookStep(title, detail, kind, link if kind == "link" else target))
    return steps


def _is_step_field(name: str) -> bool:
    return STEP_FIELD.fullmatch(name) is not None


def step_rows(steps: list[PlaybookStep]) -> list[PlaybookStep]:
    """Return the steps followed by empty rows to add more."""
    return [*steps, *(PlaybookStep("") for _ in range(EMPTY_ROWS))]
