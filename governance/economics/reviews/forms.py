"""Forms of a review: comment, action, scenario, reopening, residual, settings."""

from decimal import Decimal
from typing import Any

from wtforms import DateField, DecimalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from governance.economics.reviews.scenarios import Assumptions
from governance.foundation.people import queries as people
from governance.kernel.web.forms import Form

ZERO = Decimal(0)


class ReviewCommentForm(Form):
    body = TextAreaField("Comment", [DataRequired("Write a comment."), Length(max=5000)])


class ActionForm(Form):
    title = StringField("Action", [DataRequired("Say what is to be done."), Length(max=200)])
    owner_id = SelectField("Owner", [InputRequired("Choose an owner.")], validate_choice=False)
    due_on = DateField("Due", [InputRequired("Enter a date.")])

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.owner_id.choices = [(str(key), name) for key, name in people.choices()]


class ReopenForm(Form):
    reason = TextAreaField(
        "Reason",
        [DataRequired("Say why the month is reopened."), Length(max=2000)],
        description="The next revision prints it.",
    )


class AcceptForm(Form):
    reason = TextAreaField(
        "Reason",
        [DataRequired("Say why the month may close with it."), Length(max=2000)],
        description="The review prints it.",
    )


class SettingsForm(Form):
    close_day = IntegerField(
        "Day of the close",
        [InputRequired("Enter a day."), NumberRange(1, 28, "Enter a day from 1 to 28.")],
        description="Of the following month.",
    )
    limit_percent = DecimalField(
        "Limit of the residual, %",
        [InputRequired("Enter a limit."), NumberRange(0, 100, "Enter a limit from 0 to 100.")],
        description="Of invoiced model cost. Above it, two people decide.",
        places=2,
    )

    @property
    def day(self) -> int:
        """The day entered, or 0."""
        return self.close_day.data or 0

    @property
    def limit(self) -> Decimal:
        """The limit as a share."""
        return (self.limit_percent.data or ZERO) / 100


def _percent(label: str, low: int, high: int, description: str) -> Any:
    return DecimalField(
        label,
        [Optional(), NumberRange(low, high, f"Enter a number from {low} to {high}.")],
        description=description,
        places=None,
        default=ZERO,
    )


class ScenarioForm(Form):
    name = StringField("Name", [DataRequired("Name the scenario."), Length(max=200)])
    price_percent = _percent("Price change, %", -100, 1000, "Of every tenant's revenue.")
    moved_percent = _percent("Model cost moved, %", 0, 100, "To a model that costs less.")
    saving_percent = _percent("Saving of that model, %", 0, 100, "Of the cost that is moved.")
    cached_percent = _percent(
        "Read from the cache, %", 0, 100, "Of model cost, at a tenth of the price."
    )
    tier = SelectField("Tier of every tenant", validate_choice=False)

    def __init__(self, tiers: list[str], **values: Any) -> None:
        super().__init__(**values)
        self.tier.choices = [("", "As it is"), *((each, each.capitalize()) for each in tiers)]
        self._tiers = tiers

    def assumptions(self) -> Assumptions:
        """Return the entered assumptions. A tier that the month doesn't have is ignored."""
        return Assumptions(
            price_percent=self.price_percent.data or ZERO,
            moved_percent=self.moved_percent.data or ZERO,
            saving_percent=self.saving_percent.data or ZERO,
            cached_percent=self.cached_percent.data or ZERO,
            tier=self.tier.data if self.tier.data in self._tiers else "",
        )
