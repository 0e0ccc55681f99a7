"""The forms of costs."""

from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from governance.economics.costs.actions import MAX_NAME_LENGTH, MAX_NOTE_LENGTH
from governance.economics.costs.cost_list import POOL_CHOICES
from governance.economics.costs.placing_actions import MAX_PATTERN_LENGTH, MAX_RULES
from governance.economics.formulas.currencies import choices
from governance.foundation.tenants.forms import one_line
from governance.kernel.days import MonthField
from governance.kernel.web.forms import Form

CURRENCIES = [(code, code) for code in choices()]
ANY = "*"


class ManualLineForm(Form):
    month = MonthField("Month")
    provider = StringField(
        "Provider",
        [DataRequired("Name the provider."), Length(max=MAX_NAME_LENGTH)],
        filters=[one_line],
    )
    pool = SelectField("Pool", choices=POOL_CHOICES, default="other")
    amount = StringField("Amount", [DataRequired("Enter the amount.")])
    currency = SelectField("Currency", choices=CURRENCIES, default="EUR")
    note = TextAreaField(
        "Note", [DataRequired("Say what the cost is for."), Length(max=MAX_NOTE_LENGTH)]
    )


class PoolRuleForm(Form):
    provider = StringField("Provider", [Length(max=MAX_PATTERN_LENGTH)], filters=[one_line])
    service = StringField("Service", [Length(max=MAX_PATTERN_LENGTH)], filters=[one_line])
    resource = StringField("Resource", [Length(max=MAX_PATTERN_LENGTH)], filters=[one_line])
    pool = SelectField("Pool", choices=POOL_CHOICES, default="guardrails")
    position = IntegerField("Position", [Optional(), NumberRange(1, MAX_RULES)])


class ModelNameForm(Form):
    invoice_provider = StringField(
        "Provider on the invoice",
        [DataRequired("Enter the provider's name."), Length(max=MAX_PATTERN_LENGTH)],
        filters=[one_line],
    )
    invoice_model = StringField(
        "Model on the invoice", [Length(max=MAX_PATTERN_LENGTH)], filters=[one_line]
    )
    usage_provider = StringField(
        "Provider in usage",
        [DataRequired("Enter the provider's name."), Length(max=MAX_PATTERN_LENGTH)],
        filters=[one_line],
    )
    usage_model = StringField(
        "Model in usage", [Length(max=MAX_PATTERN_LENGTH)], filters=[one_line]
    )
