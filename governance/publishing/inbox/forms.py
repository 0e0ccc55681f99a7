"""What the inbox asks."""

from datetime import datetime

from flask import request
from wtforms import DateField, SelectField
from wtforms.validators import InputRequired, Optional

from governance.foundation.people import owners
from governance.kernel import clock
from governance.kernel.errors import Invalid
from governance.kernel.formatting import zone
from governance.kernel.forms import Choice, Form
from governance.publishing.inbox.snoozing import CHOICES, until


class SnoozeForm(Form):
    """Until when; the items are named by their keys."""

    choice = SelectField("Snooze", choices=[*CHOICES, ("day", "Until a day")])
    day = DateField("Day", [Optional()])

    def until(self) -> datetime | None:
        if self.choice.data == "day" and self.day.data is None:
            raise Invalid("Choose a day.", field="day")
        return until(self.choice.data, self.day.data, clock.now().astimezone(zone()))


class AssignForm(Form):
    """An owner for several items, or the choice to remove it."""

    owner_id = Choice("Owner", [InputRequired("Choose an owner.")], choices=owners.assignee_choices)


def chosen_keys() -> list[str]:
    """The keys of the items that the page's form sent, each once."""
    return list(dict.fromkeys(request.form.getlist("items")))
