from wtforms import DateField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Optional

from governance.assurance.frameworks import queries as frameworks
from governance.kernel.forms import Form
from governance.publishing.reports.readiness.snapshot import CATEGORIES

SPANS = (("period", "A period"), ("day", "One day"))


class AttestForm(Form):
    """Of which days the policy is attested; one day has no beginning."""

    span = RadioField("It tells of", [InputRequired("A period or one day?")], choices=list(SPANS), default="period")
    since = DateField("From", [Optional()], description="Left out for one day.")
    until = DateField("To, or the day", [InputRequired("Up to which day?")])


class ReadinessForm(Form):
    """Which criteria, and as of which day."""

    categories = SelectMultipleField(
        "Categories",
        [InputRequired("Choose at least one category.")],
        choices=[(key, title) for key, (title, _) in CATEGORIES.items()],
    )
    on = DateField("As of the end of", [InputRequired("As of which day?")])


class MatrixForm(Form):
    """Of which months. Both fields have names of their own: the page has another period beside this one."""

    begins = DateField("From the month of", [InputRequired("From which month?")])
    ends = DateField("To the month of", [InputRequired("To which month?")])
    framework = SelectField(
        "Controls",
        [Optional()],
        choices=lambda: [("", "All controls"), *((f.key, f"Those that answer for {f.title}") for f in frameworks.frameworks())],
    )
