"""Forms of the log."""

from wtforms import StringField
from wtforms.validators import DataRequired, Length

from governance.foundation.logbook.actions import MAX_NAME_LENGTH
from governance.kernel.web.forms import Form


class SaveViewForm(Form):
    name = StringField(
        "Name",
        [
            DataRequired("Give the view a name."),
            Length(max=MAX_NAME_LENGTH, message="Use at most %(max)d characters."),
        ],
        description="Everyone who can read the log sees it.",
    )
