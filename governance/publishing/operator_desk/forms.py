"""The forms of the operator's desk."""

from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.kernel.web.forms import Form


class OperatorReasonForm(Form):
    """The form for an operator's reason."""

    reason = TextAreaField(
        "Reason", [DataRequired("Enter a reason. It is kept in both audit logs."), Length(max=1000)]
    )

    @property
    def given(self) -> str:
        return self.reason.data or ""


class SuspendForm(OperatorReasonForm):
    typed = StringField(
        "Type the tenant's name to confirm",
        [DataRequired("Type the tenant's name."), Length(max=120)],
    )
