"""Forms of the inbox."""

from datetime import datetime

from flask import request
from wtforms import DateField, SelectField
from wtforms.validators import InputRequired, Optional

from governance.foundation.people import owners
from governance.kernel import clock
from governance.kernel.errors import Invalid
from governance.kernel.formatting import zone
from governance.kernel.web.forms import Choice, Form
from governance.publishing.inbox.snoozing import CHOICES, until


class SnoozeForm(Form):
    """The form that snoozes the selected items."""

    choice = SelectField("Snooze", choices=[*CHOICES, ("day", "Until a day")])
    day = DateField("Day", [Optional()])

    def until(self) -> datetime | None:
        if self.choice.data == "day" and self.day.data is None:
            raise Invalid("Choose a day.", field="day")
        return until(self.choice.data, self.day.data, clock.now().astimezone(zone()))


class InboxAssignForm(Form):
    """The owner of the selected items, or the choice to remove it."""

    owner_id = Choice("Owner", [InputRequired("Choose an owner.")], choices=owners.assignee_choices)


def chosen_keys() -> list[str]:
    """Return the keys of the selected items, without duplicates."""
    return list(dict.fromkeys(request.form.getlist("items")))
