from typing import Any

from wtforms import HiddenField, IntegerField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from governance.assurance.controls import queries as controls
from governance.assurance.evidence.forms import ReadableForm
from governance.assurance.risks.risk_record import RISK, RiskContent
from governance.assurance.risks.scales import Scale
from governance.assurance.risks.scoring import AXES
from governance.foundation.people.owner_fields import OwnerField
from governance.kernel.days import DayField
from governance.kernel.pages.record_pages import content_from, offer, with_fields
from governance.kernel.web.forms import Choice
from governance.operations.systems import queries as systems


@with_fields(RISK)
class RiskForm(ReadableForm):
    """A risk: what can happen, its score before controls, and its treatment."""

    def offer(self, scale: Scale) -> None:
        """Offer the steps of a scale as choices."""
        for name, names in (("likelihood", scale.likelihood), ("impact", scale.impact)):
            steps = [(n, f"{n} {text}") for n, text in enumerate(names, 1)]
            offer(self, name, [("", "Choose a step"), *steps])

    def content(self) -> RiskContent:
        """Return the content for the actions. Call it after validation only."""
        return content_from(RISK, self)


class RiskCreateForm(RiskForm):
    owner_id = OwnerField()


class RiskEditForm(RiskForm):
    version = HiddenField()

    def offer_systems(self, present: list[tuple[Any, str]]) -> None:
        """Offer the live systems, and those that the risk already has."""
        live = systems.choices()
        known = {value for value, _label in live}
        offer(self, "system_ids", [*live, *(each for each in present if each[0] not in known)])


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
        """Return the scale that was entered. Saving it assigns its number."""
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
    """Return the form values of a scale."""
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
