"""The form of a retry or a cancellation."""

from wtforms import HiddenField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.kernel.web.forms import Form


class WorkForm(Form):
    reason = TextAreaField(
        "Reason", [DataRequired("Enter a reason. It is kept in both audit logs."), Length(max=1000)]
    )
    verb = HiddenField()
