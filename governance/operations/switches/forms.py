from datetime import datetime
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

from governance.foundation.people.forms import stripped
from governance.kernel import formatting
from governance.kernel.forms import Form
from governance.operations.switches.actions import LONGEST_REASON
from governance.operations.switches.drill_actions import REPEATS, SECONDS

WHY = "Say why: the reason is shown to those who ask."
REFUSED: dict[str, Any] = {"invalid_choice_message": "That is not a choice here."}
WHOLE = "all"  # the choice of a whole system
MOMENT = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def instant(local: datetime | None) -> datetime | None:
    """What was typed as the tenant's own time."""
    return local.replace(tzinfo=formatting.zone()) if local else None


def plain(text: str | None) -> str:
    """A typed name without its spaces at the ends, and without regard to capitals."""
    return " ".join((text or "").split()).casefold()


class PlanesForm(Form):
    """Both planes, unless one is left out."""

    generate = BooleanField("Stop generating", default=True, description="no new model calls")
    serve = BooleanField("Stop serving", default=True, description="no cached answers")
    reason = TextAreaField(
        "Reason, shown to anyone who asks why",
        [InputRequired(WHY), Length(max=LONGEST_REASON)],
        filters=[stripped],
    )


class StopForm(PlanesForm):
    """`what` is a feature's id, or "all"."""

    what = RadioField(
        "What to stop", [InputRequired("Choose what to stop.")], choices=[], **REFUSED
    )
    remind_at = DateTimeLocalField(
        "Look again",
        [Optional()],
        format=MOMENT,
        description="When somebody is reminded. It stays stopped until a person restarts it.",
    )


class StopAllForm(PlanesForm):
    """Everything: the name of what is stopped is typed."""

    typed = StringField(
        "Type the name to stop it",
        [InputRequired("Type the name to stop everything."), Length(max=300)],
    )


class RestartForm(Form):
    """The verb says what is done: request it, or restart."""

    verb = HiddenField("Verb")
    seen = HiddenField("Seen")
    reason = TextAreaField("Reason", [Length(max=LONGEST_REASON)], filters=[stripped])


class DrillForm(Form):
    what = RadioField(
        "What to drill", [InputRequired("Choose what to drill.")], choices=[], **REFUSED
    )
    due_at = DateTimeLocalField("When", [InputRequired("When does it begin?")], format=MOMENT)
    seconds = IntegerField(
        "Longest duration in seconds",
        [
            InputRequired("Say how long it may last."),
            NumberRange(*SECONDS, f"From {SECONDS[0]} to {SECONDS[1]} seconds."),
        ],
        default=5,
        description="It ends sooner, as soon as every consumer has obeyed.",
    )
    repeat_days = IntegerField(
        "Days until the next",
        [Optional(), NumberRange(*REPEATS, f"From {REPEATS[0]} to {REPEATS[1]} days, or none.")],
        description="Left empty, it happens once. A proof is good for 90 days.",
    )
    reason = TextAreaField("Reason", [Length(max=LONGEST_REASON)], filters=[stripped])


class CancelForm(Form):
    reason = TextAreaField("Reason", [Length(max=LONGEST_REASON)], filters=[stripped])
