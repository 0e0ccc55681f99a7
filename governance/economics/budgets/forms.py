"""Forms of budgets."""

import re

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from governance.economics.budgets.actions import BudgetTerms
from governance.economics.formulas.money import read_amount
from governance.foundation.tenants.forms import one_line
from governance.kernel.errors import Invalid
from governance.kernel.web.forms import Form

WINDOWS = (("month", "Calendar month"), ("rolling", "Last 30 days"))
MAX_NAMES_LENGTH = 4000


class BudgetForm(Form):
    """The editable fields of a budget."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[one_line])
    amount = StringField("Amount", [DataRequired("Enter an amount.")])
    actual_thresholds = StringField(
        "Alert when spend reaches",
        [Length(max=80)],
        default="50, 80, 100",
        description="Percent of the amount. Each alerts once for each period.",
    )
    forecast_thresholds = StringField(
        "Alert when the forecast reaches",
        [Length(max=80)],
        default="100",
        description="Percent of the amount, at the pace of the last 7 full days.",
    )
    tells_tenant = BooleanField("Tell the customer as well, in its inbox, by mail and by webhook")
    proposed_limit = StringField(
        "Propose a rate limit when the budget is spent",
        [Optional(), Length(max=12)],
        description="Requests/min for each user, as a draft of the customer's policy. People of"
        " the customer decide on it.",
    )
    proposed_models = TextAreaField(
        "Propose a model allow-list when the budget is spent",
        [Length(max=MAX_NAMES_LENGTH)],
        description="Model names, one on each line, as part of the same draft.",
    )
    mark = HiddenField(name="mark")

    def terms(self, currency: str) -> BudgetTerms:
        """Return the entered terms. Raises Invalid for the field that is wrong."""
        limit = (self.proposed_limit.data or "").strip()
        return BudgetTerms(
            name=self.name.data or "",
            amount=read_amount(self.amount.data or "", currency, field="amount"),
            actual_thresholds=_percents(self.actual_thresholds.data, "actual_thresholds"),
            forecast_thresholds=_percents(self.forecast_thresholds.data, "forecast_thresholds"),
            tells_tenant=bool(self.tells_tenant.data),
            proposed_limit=_whole(limit) if limit else None,
            proposed_models=tuple((self.proposed_models.data or "").split()),
        )


class NewBudgetForm(BudgetForm):
    """The form of a new budget, with the fields that can't be changed later."""

    scope = SelectField("For", choices=[])
    window = RadioField("Period", choices=list(WINDOWS), default="month")


def _percents(text: str | None, field: str) -> tuple[int, ...]:
    words = [each for each in re.split(r"[\s,%]+", text or "") if each]
    if any(not re.fullmatch(r"[0-9]{1,4}", each) for each in words):
        raise Invalid("Enter percentages such as 50, 80, 100.", field=field)
    return tuple(int(each) for each in words)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Invalid("Enter a whole number of requests per minute.", field="proposed_limit")
    return int(text)
