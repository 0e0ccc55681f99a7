"""The form by which an operator requests access."""

from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.foundation.support_access import actions, queries
from governance.kernel.web.forms import Form

LEVELS = (("view", "View only"), ("change", "View, and change what a contributor can"))


def _features() -> list[tuple[str, str]]:
    return [("", "Everything"), *queries.feature_labels("viewer").items()]


class RequestForm(Form):
    reason = TextAreaField(
        "Reason",
        [DataRequired("Enter a reason. The tenant's admins read it."), Length(max=1000)],
    )
    hours = SelectField(
        "For", choices=[(str(n), f"{n} hour" if n == 1 else f"{n} hours") for n in actions.HOURS]
    )
    level = RadioField("Allows", choices=LEVELS, default="view")
    feature = SelectField("Opens", choices=_features, default="")
