"""The forms of an offboarding."""

from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.kernel.web.forms import Form


class OffboardForm(Form):
    reason = TextAreaField(
        "Reason", [DataRequired("Enter a reason. It is kept in both audit logs."), Length(max=1000)]
    )
    without_export = BooleanField("The tenant doesn't want an export")
    typed = StringField(
        "Type the tenant's name to confirm",
        [DataRequired("Type the tenant's name."), Length(max=120)],
    )


class CancelForm(Form):
    reason = TextAreaField(
        "Reason", [DataRequired("Enter a reason. It is kept in both audit logs."), Length(max=1000)]
    )
