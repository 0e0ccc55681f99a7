from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from governance.kernel.days import DayField
from governance.kernel.web.forms import Form, constraint

constraint("uq_access_reviews_open", "Another review was started at the same time. Open that one.")


class StartReviewForm(Form):
    title = StringField(
        "Name",
        [InputRequired("Enter a name, for example the quarter under review."), Length(max=120)],
    )
    due_on = DayField(
        "Due date",
        required="Choose a due date.",
        description=(
            "Reviewers get a reminder three days before, on the day, and weekly after that."
        ),
    )


class ReviewDecisionsForm(Form):
    reason = TextAreaField(
        "Reason",
        [Optional(), Length(max=2000)],
        description="Required to downgrade or revoke access. Stored encrypted in the audit log.",
    )
