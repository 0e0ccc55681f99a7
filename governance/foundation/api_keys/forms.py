from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import HiddenField, IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from governance.foundation.api_keys.actions import MOST_RATE, OVERLAPS
from governance.foundation.api_keys.models import RATE
from governance.foundation.api_keys.ports import subjects
from governance.foundation.tenants.forms import one_line
from governance.kernel import clock, current
from governance.kernel.access import known_scopes
from governance.kernel.days import ANY_DAY, DayField
from governance.kernel.forms import Choice, Form, constraint, uuid_or_none
from governance.kernel.ids import uuid7

REFUSED: dict[str, Any] = {"invalid_choice_message": "That is not a choice here."}
constraint(
    "pk_api_keys",
    "This form was sent before and its key was made. Open the form anew to make another.",
)


def _scopes() -> list[tuple[str, str]]:
    return sorted((name, name) for name in known_scopes)


def _systems() -> list[tuple[str, str]]:
    return [
        ("", "All of them"),
        *((str(system_id), name) for system_id, name in subjects().choices()),
    ]


class KeyForm(Form):
    name = StringField(
        "Name",
        [DataRequired("Name the machine that gets it."), Length(max=80)],
        filters=[one_line],
        description="Of the machine, not of a person: log mirror in Dublin.",
    )
    scopes = SelectMultipleField(
        "It may", [DataRequired("Choose what it may do.")], choices=_scopes
    )
    system_id = Choice(
        "For one AI system",
        [Optional()],
        choices=_systems,
        **REFUSED,
        description=(
            "A product asks for itself only. Without one the key asks for any system, which it then"
            " names."
        ),
    )
    rate = IntegerField(
        "Requests a minute",
        [Optional(), NumberRange(1, MOST_RATE, f"Between 1 and {MOST_RATE}.")],
        default=RATE,
        description="Above it the machine is told to wait. Left empty it is 60,000.",
    )
    ends_on = DayField(
        "Last day",
        required=False,
        bounds=ANY_DAY,
        description=(
            "The key opens nothing after this day. Without a day it is good until it is revoked."
        ),
    )
    once = HiddenField()

    @property
    def key_id(self) -> UUID:
        """Chosen when the form was opened: sending it twice makes one key."""
        return uuid_or_none(self.once.data) or uuid7()

    @property
    def ends(self) -> datetime | None:
        """The midnight after the last day, where the tenant is."""
        day = self.ends_on.data
        if (
            day is None or day.year > clock.today().year + 20
        ):  # a day that no day can be added to is out of bounds anyway
            return datetime.max.replace(tzinfo=UTC) if day else None
        return datetime.combine(
            day + timedelta(days=1), time.min, ZoneInfo(current.actor().time_zone)
        ).astimezone(UTC)

    def validate(self, extra_validators: Any = None) -> bool:
        fine = bool(super().validate(extra_validators))
        if self.scopes.errors and self.scopes.raw_data:
            self.scopes.errors = ["That is no scope here."]
        return fine


def _overlaps() -> list[tuple[str, str]]:
    words = {0: "Not at all: it stops now", 1: "One more day"}
    return [(str(days), words.get(days, f"{days} more days")) for days in OVERLAPS]


class RotateForm(Form):
    overlap = SelectField(
        "The old secret works",
        choices=_overlaps,
        default="1",
        **REFUSED,
        description="Long enough to put the new one in place, and no longer.",
    )
    seen = HiddenField()
