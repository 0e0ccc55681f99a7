"""Forms of the log's readers."""

from wtforms import StringField
from wtforms.validators import DataRequired, Length

from governance.foundation.logbook.actions import LONGEST_NAME
from governance.kernel.forms import Form


class SaveViewForm(Form):
    name = StringField(
        "Name",
        [
            DataRequired("Give the view a name."),
            Length(max=LONGEST_NAME, message="The name is longer than %(max)d characters."),
        ],
        description="Everybody who reads the log sees it.",
    )
