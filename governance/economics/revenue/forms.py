"""The forms of accounts and segments."""

from wtforms import HiddenField, IntegerField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from governance.economics.revenue.file_tables import MAX_SEATS
from governance.kernel.days import DayField
from governance.kernel.web.forms import Form


class AccountForm(Form):
    """The form of a customer's account."""

    segment = SelectField("Segment", choices=[])
    seats = IntegerField(
        "Seats",
        [
            InputRequired("Enter how many people may use the products."),
            NumberRange(0, MAX_SEATS, f"Enter seats from 0 to {MAX_SEATS:,}."),
        ],
        description="People who may use the products. Adoption is counted against them.",
    )
    won_on = DayField("Won on")
    lost_on = DayField("Lost on", required=False)
    mark = HiddenField(name="mark")


class SegmentsForm(Form):
    """The form of the operator's list of segments."""

    segments = TextAreaField(
        "Segments",
        [Length(max=2000)],
        description="One on each line, in the order in which pages show them.",
    )
