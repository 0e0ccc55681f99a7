from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, Length

from governance.foundation.list_views.actions import MAX_NAME_LENGTH
from governance.kernel.web.forms import Form


class ListViewNameForm(Form):
    name = StringField(
        "Name of the view",
        [
            DataRequired("Give the view a name."),
            Length(max=MAX_NAME_LENGTH, message="Use at most %(max)d characters."),
        ],
    )
    shared = BooleanField("Share it with everyone who may open the list")
