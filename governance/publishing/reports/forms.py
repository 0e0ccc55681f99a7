from wtforms import RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Optional

from governance.assurance.frameworks import queries as frameworks
from governance.kernel.days import ANY_DAY, DayField
from governance.kernel.forms import Form
from governance.publishing.reports.readiness.snapshot import CATEGORIES

SPANS = (("period", "A period"), ("day", "One day"))


class AttestForm(Form):
    """Of which days the policy is attested; one day has no beginning."""

    span = RadioField(
        "It tells of",
        [InputRequired("A period or one day?")],
        choices=list(SPANS),
        default="period",
    )
    since = DayField("From", required=False, bounds=ANY_DAY, description="Left out for one day.")
    until = DayField("To, or the day", required="Up to which day?", bounds=ANY_DAY)


class ReadinessForm(Form):
    """Which criteria, and as of which day."""

    categories = SelectMultipleField(
        "Categories",
        [InputRequired("Choose at least one category.")],
        choices=[(key, title) for key, (title, _) in CATEGORIES.items()],
    )
    on = DayField("As of the end of", required="As of which day?", bounds=ANY_DAY)


class MatrixForm(Form):
    """Of which months.

    Both fields have names of their own: the page has another period beside this one.
    """

    begins = DayField("From the month of", required="From which month?", bounds=ANY_DAY)
    ends = DayField("To the month of", required="To which month?", bounds=ANY_DAY)
    framework = SelectField(
        "Controls",
        [Optional()],
        choices=lambda: [
            ("", "All controls"),
            *((f.key, f"Those that answer for {f.title}") for f in frameworks.frameworks()),
        ],
    )
