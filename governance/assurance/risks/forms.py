from typing import Any

from wtforms import HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.assurance.controls import queries as controls
from governance.assurance.evidence.forms import ReadableForm
from governance.assurance.risks import source_lists
from governance.assurance.risks.actions import TREATMENTS, RiskContent
from governance.assurance.risks.scales import Scale
from governance.assurance.risks.scoring import AXES
from governance.foundation.people.owner_fields import OwnerField
from governance.kernel.days import DayField
from governance.kernel.forms import Choice, Choices, Option
from governance.operations.systems import queries as systems


def step_or_none(value: Any) -> int | None:
    """Return a step; nobody has chosen one where the value is empty."""
    return int(value) if value else None


class RiskForm(ReadableForm):
    """Name what can happen, score it before controls, and choose a treatment."""

    title = StringField(
        "Title",
        [InputRequired("Enter a title."), Length(max=160)],
        description="What can happen, for example Approvals without a valid source.",
    )
    description = TextAreaField(
        "Description",
        [Optional(), Length(max=4000)],
        description="Who is harmed, how, and what makes it more or less likely.",
    )
    sources = Choices(
        "Sources",
        [Optional()],
        choices=source_lists.choices,
        description="The published risks that it comes from. Without one, it is your own.",
    )
    system_ids = Choices(
        "AI systems",
        [Optional()],
        choices=systems.choices,
        description="The systems that have it. Without one, it concerns all of them.",
    )
    likelihood = SelectField(
        "Likelihood before controls", [InputRequired("Choose a likelihood.")], coerce=step_or_none
    )
    impact = SelectField(
        "Impact before controls", [InputRequired("Choose an impact.")], coerce=step_or_none
    )
    treatment = SelectField(
        "Treatment",
        choices=list(TREATMENTS.items()),
        default="reduce",
        description="A risk that you accept needs a second person's acceptance.",
    )
    plan = TextAreaField(
        "Treatment plan",
        [Optional(), Length(max=4000)],
        description="What you do about it, and who does it.",
    )
    due_on = DayField("Plan due", required=False)

    def offer(self, scale: Scale) -> None:
        """Offer the steps of a scale."""
        for field, names in (
            (self.likelihood, scale.likelihood),
            (self.impact, scale.impact),
        ):
            steps = [Option(n, f"{n} {text}") for n, text in enumerate(names, 1)]
            field.choices = [Option("", "Choose a step"), *steps]

    def content(self) -> RiskContent:
        """What the actions take; only after validation."""
        return RiskContent(
            title=self.title.data or "",
            description=self.description.data or "",
            sources=self.sources.data or (),
            system_ids=self.system_ids.data or (),
            likelihood=self.likelihood.data,
            impact=self.impact.data,
            treatment=self.treatment.data,
            plan=self.plan.data or "",
            due_on=self.due_on.data,
        )


class RiskCreateForm(RiskForm):
    owner_id = OwnerField()


class RiskEditForm(RiskForm):
    version = HiddenField()

    def offer_systems(self, present: list[tuple[Any, str]]) -> None:
        """Offer the systems in use, and those that the risk already has."""
        live = systems.choices()
        known = {value for value, _label in live}
        self.system_ids.choices = [
            Option(*each) for each in [*live, *(each for each in present if each[0] not in known)]
        ]


class RiskControlForm(ReadableForm):
    control_id = Choice(
        "Control",
        [InputRequired("Choose a control.")],
        choices=lambda: [("", "Choose a control"), *controls.choices()],
    )
    reduces = SelectField("Lowers", choices=list(AXES.items()))
    steps = IntegerField(
        "By steps",
        [InputRequired("Enter the number of steps."), NumberRange(1, 6, "Enter 1 to 6 steps.")],
        default=1,
        description="While it is effective. Evidenced, it earns half of them.",
    )


class RiskCloseForm(ReadableForm):
    reason = TextAreaField(
        "Reason", [InputRequired("Enter a reason. It is stored with the risk."), Length(max=2000)]
    )


class RiskAcceptanceForm(ReadableForm):
    expires_on = DayField("Accept until", description="It lasts to the end of that day.")
    reason = TextAreaField(
        "Reason",
        [InputRequired("Enter a reason. The approver reads it."), Length(max=2000)],
        description="Why this risk is bearable, and what you watch meanwhile.",
    )
    seen = HiddenField()


class RiskScaleForm(ReadableForm):
    likelihood = TextAreaField(
        "Likelihood",
        [InputRequired("Enter the steps.")],
        description="The names of its steps, one a line, the lowest first.",
    )
    impact = TextAreaField(
        "Impact",
        [InputRequired("Enter the steps.")],
        description="The names of its steps, one a line, the lowest first.",
    )
    low_to = IntegerField("Low, up to", [InputRequired("Enter a score.")])
    medium_to = IntegerField("Medium, up to", [InputRequired("Enter a score.")])
    high_to = IntegerField(
        "High, up to",
        [InputRequired("Enter a score.")],
        description="Scores above it are critical.",
    )
    appetite = IntegerField(
        "Appetite",
        [InputRequired("Enter a score.")],
        description="The highest residual score that nobody has to accept.",
    )
    max_acceptance_days = IntegerField(
        "Acceptances last up to",
        [InputRequired("Enter a number of days.")],
        description="In days.",
    )
    reason = TextAreaField(
        "Reason",
        [InputRequired("Enter a reason. It is kept in the audit log."), Length(max=2000)],
    )
    version = HiddenField()

    def scale(self) -> Scale:
        """The scale that was entered; its number is given when it is saved."""
        return Scale(
            0,
            _lines(self.likelihood.data),
            _lines(self.impact.data),
            self.low_to.data or 0,
            self.medium_to.data or 0,
            self.high_to.data or 0,
            self.appetite.data or 0,
            self.max_acceptance_days.data or 0,
        )


def scale_values(scale: Scale) -> dict[str, Any]:
    """The values of the form for a scale."""
    return {
        "likelihood": "\n".join(scale.likelihood),
        "impact": "\n".join(scale.impact),
        "low_to": scale.low_to,
        "medium_to": scale.medium_to,
        "high_to": scale.high_to,
        "appetite": scale.appetite,
        "max_acceptance_days": scale.max_acceptance_days,
    }


def _lines(text: str | None) -> tuple[str, ...]:
    return tuple(line for each in (text or "").splitlines() if (line := " ".join(each.split())))
