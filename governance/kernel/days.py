"""Days and months that a person or a machine writes, in a form, an address or a file.

DayField("Due", required=False)        reads a day, and says in words what is wrong with what was
                                       sent
MonthField("Month")                    the same for a month
parse_day(text, field="as_of")         the same for a text; raises Invalid
parse_month(text, field="month")
"""

from datetime import date
from typing import Any

from wtforms import DateField, Field
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import MonthInput

from governance.kernel.errors import Invalid
from governance.kernel.months import Month

EXAMPLE = "2026-11-25"
# Days to which others can be added, or from which they can be subtracted.
CENTURY = (date(2000, 1, 1), date(2100, 12, 31))
ANY_DAY = (date.min, date.max)  # For an action that has bounds of its own.
MAX_SHOWN_LENGTH = 40  # Characters of what was sent.


def parse_day(
    text: str,
    *,
    field: str | None = None,
    bounds: tuple[date, date] = CENTURY,
    is_named: bool = False,
) -> date:
    """Return the day that is written as 2026-11-25, ignoring blanks around it.

    Raises Invalid, about `field`, for anything else.

    With `is_named` the sentence begins with the field's name: use it if it isn't shown next to the
    field.
    """
    sent, (first, last) = text.strip(), bounds
    lead = f"{field}: " if is_named else ""
    try:
        day = date.fromisoformat(sent)
    except ValueError:
        wrong = f"“{sent[:MAX_SHOWN_LENGTH]}” isn't a date. Enter one" if sent else "Enter a date"
        raise Invalid(f"{lead}{wrong} such as {EXAMPLE}.", field=field) from None
    if day < first:
        raise Invalid(
            f"{lead}{day.isoformat()} is before the year {first.year}. Enter a later date.",
            field=field,
        )
    if day > last:
        raise Invalid(
            f"{lead}{day.isoformat()} is after the year {last.year}. Enter a date from {first.year}"
            f" to {last.year}.",
            field=field,
        )
    return day


def parse_month(text: str, *, field: str | None = None) -> Month:
    """Return the month that is written as 2026-11, of a year from 2000 to 2100.

    Raises Invalid, about `field`, for anything else.
    """
    sent = text.strip()
    try:
        month = Month.parse(sent)
    except ValueError:
        wrong = f"“{sent[:MAX_SHOWN_LENGTH]}” isn't a month. Enter one" if sent else "Enter a month"
        raise Invalid(f"{wrong} such as {EXAMPLE[:7]}.", field=field) from None
    first, last = (day.year for day in CENTURY)
    if not first <= month.year <= last:
        raise Invalid(f"Enter a month of the years {first} to {last}.", field=field)
    return month


class DayField(DateField):
    """A day, required by default; `required` may be the sentence that asks for it."""

    def __init__(
        self,
        label: str,
        *,
        required: bool | str = True,
        bounds: tuple[date, date] = CENTURY,
        **options: Any,
    ) -> None:
        asks = required if isinstance(required, str) else f"{label}: choose a date."
        super().__init__(label, [InputRequired(asks) if required else Optional()], **options)
        self.bounds = bounds

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was sent; blanks are nothing, which the validators check."""
        sent, self.data = " ".join(valuelist or ()).strip(), None
        if not sent:
            self.raw_data = []
            return
        try:
            self.data = parse_day(sent, bounds=self.bounds)
        except Invalid as wrong:
            raise ValueError(wrong.message) from wrong


class MonthField(Field):
    """A month, such as 2026-11, required by default; `data` is a Month or None."""

    widget = MonthInput()

    def __init__(self, label: str, *, required: bool = True, **options: Any) -> None:
        checks = [InputRequired(f"{label}: choose a month.") if required else Optional()]
        super().__init__(label, checks, **options)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was sent; blanks are nothing, which the validators check."""
        sent, self.data = " ".join(valuelist or ()).strip(), None
        if not sent:
            self.raw_data = []
            return
        try:
            self.data = parse_month(sent)
        except Invalid as wrong:
            raise ValueError(wrong.message) from wrong
