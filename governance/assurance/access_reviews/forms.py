from wtforms import DateField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from governance.kernel.forms import Form, constraint

constraint("uq_access_reviews_open", "Somebody else began a review at the same moment.")


class BeginForm(Form):
    title = StringField("Name", [InputRequired("Name the review, by its quarter for example."), Length(max=120)])
    due_on = DateField(
        "Due on",
        [InputRequired("By when?")],
        description="Who can review is reminded three days before, on the day, and each week after.",
    )


class DecideForm(Form):
    because = TextAreaField(
        "Reason",
        [Optional(), Length(max=2000)],
        description="Required to lower or revoke access. The audit log keeps it encrypted.",
    )
