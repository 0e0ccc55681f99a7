from wtforms import DateField, RadioField
from wtforms.validators import InputRequired, Optional

from governance.kernel.forms import Form

SPANS = (("period", "A period"), ("day", "One day"))


class AttestForm(Form):
    """Of which days the policy is attested; one day has no beginning."""

    span = RadioField("It tells of", [InputRequired("A period or one day?")], choices=list(SPANS), default="period")
    since = DateField("From", [Optional()], description="Left out for one day.")
    until = DateField("To, or the day", [InputRequired("Up to which day?")])
