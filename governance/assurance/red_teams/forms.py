"""Forms of red teams, their scenarios, attempts and findings."""

from typing import Any
from uuid import UUID

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from governance.assurance.red_teams import catalogue
from governance.assurance.red_teams.actions import (
    MAX_RELEASE_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    RedTeamDraft,
)
from governance.assurance.red_teams.finding_actions import MAX_CASE_LENGTH
from governance.assurance.red_teams.models import OUTCOMES, TEAM_KINDS
from governance.assurance.red_teams.severity import METRICS
from governance.foundation.tenants.forms import one_line
from governance.kernel.days import DayField
from governance.kernel.web.forms import Choice, Form, constraint, stripped, uuid_or_none
from governance.operations.systems import queries as systems

for table in ("red_teams", "red_team_scenarios", "red_team_attempts", "red_team_findings"):
    constraint(f"pk_{table}", "This form was already sent. Open a new form for another one.")


def _systems() -> list[tuple[Any, str]]:
    return [("", "Choose an AI system"), *((each.id, each.name) for each in systems.live_systems())]


class OnceForm(Form):
    """A form that creates one row. `once` is the row's id, so a second submission creates nothing."""

    once = HiddenField("Once")

    @property
    def row_id(self) -> UUID | None:
        return uuid_or_none(self.once.data)


class RedTeamForm(OnceForm):
    system_id = Choice(
        "AI system", [InputRequired("Choose the AI system to attack.")], choices=_systems
    )
    release = StringField(
        "Release",
        [DataRequired("Enter the release to attack."), Length(max=MAX_RELEASE_LENGTH)],
        filters=[one_line],
        description="As its evaluation runs name it, for example 2026.12.0.",
    )
    title = StringField(
        "Title",
        [DataRequired("Enter a title."), Length(max=MAX_TITLE_LENGTH)],
        filters=[one_line],
        description="For example: Prompt injection through claim documents.",
    )
    kind = RadioField(
        "Testers",
        [InputRequired("Choose who attacks.")],
        choices=list(TEAM_KINDS.items()),
        default="internal",
        description="A third party gets an engagement: invite its testers there.",
    )
    firm = StringField(
        "Firm",
        [Length(max=120)],
        filters=[one_line],
        description="Of a third party.",
    )
    rules = TextAreaField(
        "Rules",
        [
            DataRequired("Enter what the testers may do, and what they must not."),
            Length(max=MAX_TEXT_LENGTH),
        ],
        filters=[stripped],
        description="What the testers may do, what they must not, and who to call.",
    )
    opens_on = DayField("Window start")
    closes_on = DayField("Window end", description="With it, the consent to attack ends.")

    def draft(self) -> RedTeamDraft:
        """Return the submitted fields, once validated."""
        opens_on, closes_on = self.opens_on.data, self.closes_on.data
        assert opens_on
        assert closes_on
        return RedTeamDraft(
            system_id=self.system_id.data,
            release=self.release.data or "",
            kind=self.kind.data or "",
            title=self.title.data or "",
            rules=self.rules.data or "",
            opens_on=opens_on,
            closes_on=closes_on,
            firm=self.firm.data or "",
        )


class ScenarioForm(OnceForm):
    risk = SelectField(
        "Risk or technique",
        [InputRequired("Choose an id.")],
        choices=lambda: [("", "Choose an id"), *catalogue.choices()],
    )
    title = StringField(
        "Title",
        [DataRequired("Enter a title."), Length(max=MAX_TITLE_LENGTH)],
        filters=[one_line],
    )
    goal = TextAreaField(
        "What counts as breaking through",
        [DataRequired("Enter what counts as breaking through."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="So that two people would record the same outcome.",
    )


class AttemptForm(OnceForm):
    scenario_id = Choice(
        "Scenario",
        [InputRequired("Choose a scenario.")],
        choices=[],
        invalid_choice_message="Choose a scenario of this red team.",
    )
    release = StringField(
        "Release",
        [DataRequired("Enter the release that you attacked."), Length(max=MAX_RELEASE_LENGTH)],
        filters=[one_line],
    )
    what = TextAreaField(
        "What you tried",
        [DataRequired("Enter what you tried."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="It is kept as you write it, and never changes.",
    )
    outcome = RadioField(
        "How it ended", [InputRequired("Choose how it ended.")], choices=list(OUTCOMES.items())
    )


class LinkRunForm(Form):
    scenario_id = Choice(
        "Scenario",
        [InputRequired("Choose a scenario.")],
        choices=[],
        invalid_choice_message="Choose a scenario of this red team.",
    )
    run = SelectField(
        "Run and measure",
        [InputRequired("Choose a run.")],
        choices=[],
        description="Its cases count as attempts: one that passed held, one that failed broke.",
    )


def _metric(position: int) -> RadioField:
    metric = METRICS[position]
    return RadioField(
        metric.title,
        [InputRequired(f"{metric.title}: choose a value.")],
        choices=list(metric.values.items()),
        description=metric.question,
    )


class ReportForm(OnceForm):
    title = StringField(
        "Title",
        [DataRequired("Enter a title."), Length(max=MAX_TITLE_LENGTH)],
        filters=[one_line],
    )
    reproduction = TextAreaField(
        "Steps to reproduce",
        [DataRequired("Enter the steps that show it again."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
    )
    av, ac, pr, ui = (_metric(n) for n in range(4))
    s, c, i, a = (_metric(n) for n in range(4, 8))

    @property
    def metrics(self) -> dict[str, str]:
        return {each.key: self._fields[each.key.lower()].data or "" for each in METRICS}


class CaseForm(Form):
    measure = SelectField(
        "Suite and measure",
        [InputRequired("Choose the measure that judges the case.")],
        choices=[],
        description="Of a published version, where each case passes or fails.",
    )
    case = StringField(
        "Id of the case",
        [DataRequired("Enter the id of the case."), Length(max=MAX_CASE_LENGTH)],
        filters=[one_line],
        description="As the runs name it. Meridian keeps its digest, not the id.",
    )


class EvidenceForm(Form):
    """A form to link evidence. A search narrows the choices; the action checks what may be linked."""

    version_id = Choice(
        "Evidence version",
        [InputRequired("Choose a version.")],
        choices=list,
        validate_choice=False,
    )


class RedTeamReasonForm(Form):
    reason = TextAreaField(
        "Reason",
        [
            DataRequired("Enter a reason. It is kept in the audit log."),
            Length(max=MAX_TEXT_LENGTH),
        ],
        filters=[stripped],
        description="It is kept in the audit log.",
    )


class FixForm(RedTeamReasonForm):
    fixed_release = StringField(
        "Release that fixes it",
        [DataRequired("Enter the release that fixes it."), Length(max=MAX_RELEASE_LENGTH)],
        filters=[one_line],
        description="As its evaluation runs name it.",
    )


class FinishForm(Form):
    summary = TextAreaField(
        "Summary",
        [DataRequired("Enter a summary of what was found."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="The first paragraph of its report.",
    )
