"""The form of the sites that may embed an explanation. The rules are in the actions."""

from wtforms import TextAreaField
from wtforms.validators import Length

from governance.kernel.web.forms import Form, stripped


class OriginsForm(Form):
    origins = TextAreaField(
        "Pages that may embed it",
        [Length(max=3000)],
        filters=[stripped],
        description=(
            "One origin a line, such as https://app.example. Nobody may embed it while this is"
            " empty; anyone with the address can open it."
        ),
    )
