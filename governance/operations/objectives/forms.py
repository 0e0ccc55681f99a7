"""Forms of objectives: percentages, the window, service hours by day."""

from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import available_timezones

from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import member_choices
from governance.foundation.tenants.forms import one_line
from governance.kernel.errors import Invalid
from governance.kernel.web.forms import Choice, Form, constraint, stripped
from governance.operations.measurements import queries as measurements
from governance.operations.objectives.models import WINDOWS, Objective
from governance.operations.objectives.service_hours import DAYS
from governance.operations.systems import queries as systems

constraint(
    "uq_objectives_tenant_id_key",
    "Another objective already has this slug. Choose another.",
    field="key",
)
HOURS = {"all": "All hours", "service": "Service hours only"}


def indicators() -> list[tuple[Any, str]]:
    """Return the active indicators, each with its system, for the form."""
    live = measurements.live_indicators()
    names = systems.names(each.system_id for each in live)
    return [
        ("", "Choose an indicator"),
        *sorted(
            (
                (each.id, f"{names.get(each.system_id, '')} · {each.name} ({each.kind_name})")
                for each in live
            ),
            key=lambda choice: choice[1].casefold(),
        ),
    ]


def share(text: str | None, field: str) -> Decimal:
    """Parse "99.5" or "99.5%" as an exact share. Raises Invalid for anything else."""
    written = (text or "").strip().removesuffix("%").strip().replace(",", ".")
    try:
        value = Decimal(written)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or len(written) > 20:  # noqa: PLR2004 - digits that make sense
        raise Invalid("Enter a percentage such as 99.5.", field=field)
    return value / 100


def written_share(value: Decimal) -> str:
    """Return the text that `share` reads."""
    return f"{(value * 100).normalize():f}"


class DefinitionForm(Form):
    """The parts of a version."""

    target = StringField(
        "Target, %",
        [DataRequired("Enter a target.")],
        filters=[stripped],
        description="The share that has to be good, such as 99.5. The rest is the error budget.",
    )
    window = RadioField(
        "Window",
        [InputRequired("Choose a window.")],
        choices=list(WINDOWS.items()),
        default="rolling",
    )
    window_days = IntegerField(
        "Days of a rolling window",
        [Optional(), NumberRange(1, 366, "Enter 1 to 366 days.")],
        default=30,
    )
    hours = RadioField(
        "Hours that count",
        [InputRequired("Choose the hours that count.")],
        choices=list(HOURS.items()),
        default="all",
    )
    mon = StringField("Monday", filters=[stripped])
    tue = StringField("Tuesday", filters=[stripped])
    wed = StringField("Wednesday", filters=[stripped])
    thu = StringField("Thursday", filters=[stripped])
    fri = StringField("Friday", filters=[stripped])
    sat = StringField("Saturday", filters=[stripped])
    sun = StringField("Sunday", filters=[stripped])
    zone = StringField(
        "Time zone of the service hours",
        [Optional(), Length(max=60)],
        filters=[stripped],
        description="Such as America/Chicago. Without one, the tenant’s time zone applies.",  # noqa: RUF001
    )
    minimum_coverage = StringField(
        "Minimum coverage, %",
        [DataRequired("Enter the minimum coverage.")],
        filters=[stripped],
        default="95",
        description=(
            "The share of minutes that must have data. Below it, the objective isn’t determinable."  # noqa: RUF001
        ),
    )

    def definition(self) -> dict[str, Any]:
        """Return the definition as the actions take it. Raises Invalid for unreadable values."""
        return {
            "target": share(self.target.data, "target"),
            "window": self.window.data,
            "window_days": self.window_days.data or 30,
            "service_hours": self._service_hours(),
            "minimum_coverage": share(self.minimum_coverage.data, "minimum_coverage"),
        }

    def _service_hours(self) -> dict[str, Any] | None:
        if self.hours.data != "service":
            return None
        days = {}
        for day in DAYS:
            written = self[day].data or ""
            parts = [part.split("-") for part in written.replace(" ", "").split(",") if part]
            if any(len(part) != 2 for part in parts):  # noqa: PLR2004 - from and to
                raise Invalid("Write hours such as 09:00-12:00, 13:00-17:30.", field=day)
            if parts:
                days[day] = parts
        if self.zone.data and self.zone.data not in available_timezones():
            raise Invalid("Enter a time zone such as Europe/Paris.", field="zone")
        if not days:
            raise Invalid("Enter the hours of at least one day.", field="mon")
        return {"days": days} | ({"zone": self.zone.data} if self.zone.data else {})

    @property
    def day_fields(self) -> list[Any]:
        return [self[day] for day in DAYS]


class ObjectiveForm(DefinitionForm):
    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=120)],
        filters=[one_line],
        description="Such as “claims-triage · Availability”.",
    )
    indicator_id = Choice("Indicator", [InputRequired("Choose an indicator.")], choices=indicators)
    owner_id = OwnerField(choices=member_choices)
    kind_note = StringField(
        "Note",
        [Length(max=120)],
        filters=[one_line],
        description="The small line below the name, such as “weekly evaluation, counts”.",
    )
    is_ai = BooleanField("It measures the quality of AI output")


class ObjectiveEditForm(DefinitionForm):
    seen = HiddenField("Seen")
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[one_line])
    owner_id = OwnerField(choices=member_choices)
    kind_note = StringField("Note", [Length(max=120)], filters=[one_line])
    is_ai = BooleanField("It measures the quality of AI output")
    reason = TextAreaField(
        "Reason",
        [Length(max=2000)],
        filters=[stripped],
        description="Needed for a new version: a change of target, window, hours or coverage.",
    )


class ObjectiveRetireForm(Form):
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired("Enter a reason. It is kept in the audit log."), Length(max=2000)],
        filters=[stripped],
    )


def values_of(objective: Objective) -> dict[str, Any]:
    """Return the initial values of the edit form."""
    hours = objective.service_hours or {}
    days = {
        day: ", ".join("-".join(pair) for pair in hours.get("days", {}).get(day, []))
        for day in DAYS
    }
    return {
        "name": objective.name,
        "owner_id": objective.owner_id,
        "kind_note": objective.kind_note,
        "is_ai": objective.is_ai,
        "target": written_share(objective.target),
        "window": objective.window,
        "window_days": objective.window_days,
        "hours": "service" if objective.service_hours else "all",
        "zone": hours.get("zone", ""),
        "minimum_coverage": written_share(objective.minimum_coverage),
        **days,
    }
