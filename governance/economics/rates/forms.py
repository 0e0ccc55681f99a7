"""Forms of exchange rates and the reporting currency."""

from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from governance.economics.formulas.currencies import choices
from governance.foundation.tenants.forms import one_line
from governance.kernel.days import MonthField
from governance.kernel.web.forms import Form

CURRENCIES = [(code, code) for code in choices()]


class RateForm(Form):
    month = MonthField("Month")
    currency = SelectField("Currency", choices=CURRENCIES, default="USD")
    rate = StringField("Rate", [DataRequired("Enter the rate.")])
    source = StringField(
        "Source",
        [DataRequired("Name the source, such as a central bank."), Length(max=200)],
        filters=[one_line],
    )


class ReportingCurrencyForm(Form):
    reporting_currency = SelectField("Reporting currency", choices=CURRENCIES)
