from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from governance.kernel.days import DayField
from governance.kernel.forms import Form, constraint

constraint("uq_access_reviews_open", "Somebody else began a review at the same moment.")


class BeginForm(Form):
    title = StringField(
        "Name", [InputRequired("Name the review, by its quarter for example."), Length(max=120)]
    )
    due_on = DayField(
        "Due on",
        required="By when?",
        description=(
            "Who can review is reminded three days before, on the day, and each week after."
        ),
    )


class DecideForm(Form):
    reason = TextAreaField(
        "Reason",
        [Optional(), Length(max=2000)],
        description="Required to lower or revoke access. The audit log keeps it encrypted.",
    )
