from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.kernel.web.forms import Form, stripped
from governance.operations.switches.actions import MAX_REASON_LENGTH, REASON_NEEDED
from governance.operations.switches.drill_actions import (
    MAX_REPEAT_DAYS,
    MAX_SECONDS,
    MIN_REPEAT_DAYS,
    MIN_SECONDS,
)

INVALID_SCOPE: dict[str, Any] = {"invalid_choice_message": "Choose one of the options."}
WHOLE = "all"  # Choice of the system with all features
TIME_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def normalized(text: str | None) -> str:
    """Return a typed name for comparison: without outer spaces, and in lower case."""
    return " ".join((text or "").split()).casefold()


class PlanesForm(Form):
    """The planes to stop: both, unless one is unchecked."""

    generate = BooleanField("Stop generating", default=True, description="no new model calls")
    serve = BooleanField("Stop serving", default=True, description="no cached answers")
    reason = TextAreaField(
        "Reason, shown on the stop's page",
        [InputRequired(REASON_NEEDED), Length(max=MAX_REASON_LENGTH)],
        filters=[stripped],
    )


class StopForm(PlanesForm):
    """A stop of a system or a feature. `what` is a feature's id, or "all"."""

    what = RadioField(
        "What to stop", [InputRequired("Choose what to stop.")], choices=[], **INVALID_SCOPE
    )
    remind_at = DateTimeLocalField(
        "Remind me",
        [Optional()],
        format=TIME_FORMATS,
        description="Shown on the stop's page. It stays stopped until someone restarts it.",
    )


class StopAllForm(PlanesForm):
    """A stop of everything, confirmed by typing the name."""

    typed = StringField(
        "Confirm with the name",
        [InputRequired("Type the name to stop everything."), Length(max=300)],
    )


class RestartForm(Form):
    """A restart. The verb is "request" or "restart"."""

    verb = HiddenField("Verb")
    seen = HiddenField("Seen")
    reason = TextAreaField("Reason", [Length(max=MAX_REASON_LENGTH)], filters=[stripped])


class DrillForm(Form):
    what = RadioField(
        "What to drill", [InputRequired("Choose what to drill.")], choices=[], **INVALID_SCOPE
    )
    due_at = DateTimeLocalField(
        "Start time", [InputRequired("Choose a start time.")], format=TIME_FORMATS
    )
    seconds = IntegerField(
        "Maximum duration, in seconds",
        [
            InputRequired("Enter the maximum duration."),
            NumberRange(MIN_SECONDS, MAX_SECONDS, f"Enter {MIN_SECONDS} to {MAX_SECONDS} seconds."),
        ],
        default=5,
        description="It ends earlier, as soon as every consumer obeys.",
    )
    repeat_days = IntegerField(
        "Repeat every (days)",
        [
            Optional(),
            NumberRange(
                MIN_REPEAT_DAYS,
                MAX_REPEAT_DAYS,
                f"Enter {MIN_REPEAT_DAYS} to {MAX_REPEAT_DAYS} days, or leave it empty.",
            ),
        ],
        description="Leave it empty for a single drill. A passed drill counts for 90 days.",
    )
    reason = TextAreaField("Reason", [Length(max=MAX_REASON_LENGTH)], filters=[stripped])


class DrillCancelForm(Form):
    reason = TextAreaField("Reason", [Length(max=MAX_REASON_LENGTH)], filters=[stripped])
