"""The forms that request a report."""

from wtforms import RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Optional

from governance.assurance.frameworks import queries as frameworks
from governance.kernel.days import ANY_DAY, DayField
from governance.kernel.web.forms import Form
from governance.publishing.reports.readiness.snapshot import CATEGORIES

SPANS = (("period", "A period"), ("day", "One day"))


def control_choices() -> list[tuple[str, str]]:
    """Return all controls, or those of one framework, as (key, label)."""
    mapped = ((key, f"Controls mapped to {title}") for key, title in frameworks.choices())
    return [("", "All controls"), *mapped]


class AttestationForm(Form):
    """The days of a policy attestation. A single day has no start."""

    span = RadioField(
        "Covers",
        [InputRequired("Choose a period or one day.")],
        choices=list(SPANS),
        default="period",
    )
    since = DayField("From", required=False, bounds=ANY_DAY, description="Leave empty for one day.")
    until = DayField("To, or the one day", required="Choose a day.", bounds=ANY_DAY)


class ReadinessForm(Form):
    """The criteria, and the day they are shown for."""

    categories = SelectMultipleField(
        "Categories",
        [InputRequired("Choose at least one category.")],
        choices=[(key, title) for key, (title, _) in CATEGORIES.items()],
    )
    on = DayField("As of the end of", required="Choose a day.", bounds=ANY_DAY)


class EvidenceMatrixForm(Form):
    """The months of a Type II matrix. Field names differ from the other period on the page."""

    begins = DayField("From the month of", required="Choose the first month.", bounds=ANY_DAY)
    ends = DayField("To the month of", required="Choose the last month.", bounds=ANY_DAY)
    framework = SelectField(
        "Controls",
        [Optional()],
        choices=control_choices,
    )
