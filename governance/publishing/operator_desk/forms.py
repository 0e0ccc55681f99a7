"""The forms of the operator's desk."""

from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.kernel.forms import Form


class SuspendForm(Form):
    reason = TextAreaField(
        "Reason", [DataRequired("Give a reason. It is kept in both audit logs."), Length(max=1000)]
    )
    typed = StringField(
        "Type the tenant's name to confirm",
        [DataRequired("Type the tenant's name."), Length(max=120)],
    )


class ExportForm(Form):
    reason = TextAreaField(
        "Reason", [DataRequired("Give a reason. It is kept in both audit logs."), Length(max=1000)]
    )


class ResumeForm(Form):
    reason = TextAreaField(
        "Reason", [DataRequired("Give a reason. It is kept in both audit logs."), Length(max=1000)]
    )
