from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import HiddenField, IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from governance.foundation.api_keys.actions import MAX_RATE, OVERLAP_DAYS
from governance.foundation.api_keys.models import DEFAULT_RATE
from governance.foundation.api_keys.ports import subjects
from governance.foundation.tenants.forms import one_line
from governance.kernel import clock, current
from governance.kernel.data.ids import uuid7
from governance.kernel.days import ANY_DAY, DayField
from governance.kernel.safety.access import known_scopes
from governance.kernel.web.forms import Choice, Form, constraint, uuid_or_none

INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the options."}
constraint(
    "pk_api_keys",
    "This form was already sent and its key was created. Open a new form to create another key.",
)


def _scopes() -> list[tuple[str, str]]:
    return sorted((name, name) for name in known_scopes)


def _systems() -> list[tuple[str, str]]:
    return [
        ("", "All AI systems"),
        *((str(system_id), name) for system_id, name in subjects().choices()),
    ]


class ApiKeyForm(Form):
    name = StringField(
        "Name",
        [DataRequired("Enter the name of the machine."), Length(max=80)],
        filters=[one_line],
        description="The machine that uses the key, for example “Log mirror in Dublin”.",
    )
    scopes = SelectMultipleField(
        "Scopes", [DataRequired("Choose at least one scope.")], choices=_scopes
    )
    system_id = Choice(
        "AI system",
        [Optional()],
        choices=_systems,
        **INVALID_CHOICE,
        description=(
            "Limit a product's key to its own AI system. A key for all systems has to name one in"
            " each request."
        ),
    )
    rate = IntegerField(
        "Rate limit, requests/min",
        [Optional(), NumberRange(1, MAX_RATE, f"Enter a number from 1 to {MAX_RATE:,}.")],
        default=DEFAULT_RATE,
        description=f"Above the limit, requests get status 429. The default is {DEFAULT_RATE:,}.",
    )
    ends_on = DayField(
        "Expires after",
        required=False,
        bounds=ANY_DAY,
        description=(
            "The last day on which the key works. Without a date, it works until you revoke it."
        ),
    )
    once = HiddenField()

    @property
    def key_id(self) -> UUID:
        """The id chosen when the form was opened: sent twice, it creates one key."""
        return uuid_or_none(self.once.data) or uuid7()

    @property
    def ends(self) -> datetime | None:
        """The midnight after the last day, in the tenant's time zone."""
        day = self.ends_on.data
        # No day can be added to a date far beyond the bounds.
        if day is None or day.year > clock.today().year + 20:
            return datetime.max.replace(tzinfo=UTC) if day else None
        return datetime.combine(
            day + timedelta(days=1), time.min, ZoneInfo(current.actor().time_zone)
        ).astimezone(UTC)

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if self.scopes.errors and self.scopes.raw_data:
            self.scopes.errors = ["Choose scopes from the list."]
        return is_valid


def _overlaps() -> list[tuple[str, str]]:
    labels = {0: "Stops immediately", 1: "1 more day"}
    return [(str(days), labels.get(days, f"{days} more days")) for days in OVERLAP_DAYS]


class KeyRotationForm(Form):
    overlap = SelectField(
        "Old secret",
        choices=_overlaps,
        default="1",
        **INVALID_CHOICE,
        description=(
            "Give the machine time to switch to the new secret, but no longer than it needs."
        ),
    )
    seen = HiddenField()
