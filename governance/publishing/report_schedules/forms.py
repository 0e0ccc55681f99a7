"""The form that schedules a report."""

from wtforms import RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Optional

from governance.kernel.web.forms import Choices, Form
from governance.publishing.report_schedules import queries
from governance.publishing.report_schedules.models import CADENCES
from governance.publishing.reports.forms import control_choices
from governance.publishing.reports.kinds import KINDS
from governance.publishing.reports.readiness.snapshot import CATEGORIES


class ScheduleForm(Form):
    """The form of a schedule. `categories` and `framework` each apply to one kind of report."""

    kind = RadioField(
        "Report",
        [InputRequired("Choose a report.")],
        choices=[(each.key, each.name) for each in KINDS.values()],
    )
    cadence = RadioField(
        "How often",
        [InputRequired("Choose how often.")],
        choices=list(CADENCES.items()),
        default="monthly",
    )
    recipients = Choices(
        "Recipients",
        [InputRequired("Choose at least one person.")],
        choices=queries.recipient_choices,
        description="They get a link. The report opens after they sign in.",
    )
    categories = SelectMultipleField(
        "Categories of SOC 2 readiness",
        [Optional()],
        choices=[(key, title) for key, (title, _) in CATEGORIES.items()],
    )
    framework = SelectField(
        "Controls of the Type II matrix",
        [Optional()],
        choices=control_choices,
    )
