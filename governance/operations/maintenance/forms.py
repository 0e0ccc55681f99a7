from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from governance.foundation.tenants.forms import one_line
from governance.kernel import formatting
from governance.kernel.data.ids import uuid7
from governance.kernel.days import DayField
from governance.kernel.errors import Invalid
from governance.kernel.web.forms import Choice, Form, constraint, counted, stripped, uuid_or_none
from governance.operations.maintenance.exclusion_plan import (
    MAX_REASON_LENGTH,
    MAX_TITLE_LENGTH,
    Plan,
)
from governance.operations.maintenance.exclusion_words import SIMPLE
from governance.operations.maintenance.models import CATEGORIES, Exclusion
from governance.operations.maintenance.recurrence import MAX_RULE_LENGTH
from governance.operations.measurements import queries as measurements
from governance.operations.systems import queries as systems

INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the options."}
TIME_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
CUSTOM = "custom"
REPEATS = [("", "Never"), *SIMPLE.items(), (CUSTOM, "By a rule")]
constraint(
    "pk_exclusions",
    "This form was already sent and its exclusion was announced. Open a new form for another one.",
)


def _systems() -> list[tuple[str, str]]:
    return [("", "All AI systems"), *((str(key), name) for key, name in systems.choices())]


def _indicators() -> list[tuple[str, str]]:
    live = [(str(each.id), each.name) for each in measurements.live_indicators()]
    return [("", "All indicators"), *live]


class ExclusionForm(Form):
    title = StringField(
        "Title",
        [DataRequired("Enter a title."), Length(max=MAX_TITLE_LENGTH)],
        filters=[one_line],
        description="For example “Database upgrade”. The calendar shows it.",
    )
    category = SelectField(
        "Category", choices=list(CATEGORIES.items()), default="maintenance", **INVALID_CHOICE
    )
    system_id = Choice("AI system", [Optional()], choices=_systems, **INVALID_CHOICE)
    indicator_id = Choice(
        "Indicator",
        [Optional()],
        choices=_indicators,
        **INVALID_CHOICE,
        description="Limit it to one indicator of the system.",
    )
    starts_at = DateTimeLocalField("Start", [InputRequired("Choose a start.")], format=TIME_FORMATS)
    ends_at = DateTimeLocalField("End", [InputRequired("Choose an end.")], format=TIME_FORMATS)
    repeats = SelectField("Repeats", choices=REPEATS, default="", **INVALID_CHOICE)
    rrule = StringField(
        "Rule",
        [Length(max=MAX_RULE_LENGTH)],
        description="An RRULE of iCalendar, for example FREQ=MONTHLY;BYDAY=1SU",
    )
    repeat_until = DayField(
        "Last day",
        required=False,
        description="The repetition ends with this day, within five years.",
    )
    reason = TextAreaField(
        "Reason",
        [DataRequired("Enter a reason."), Length(max=MAX_REASON_LENGTH)],
        filters=[stripped],
        description="Shown to the approver and on the statement.",
    )
    is_customer_visible = BooleanField(
        "Customer visible", default=True, description="on the status page and in the calendar feed"
    )
    once = HiddenField()
    seen = HiddenField()

    @property
    def exclusion_id(self) -> UUID:
        """The id chosen when the form was opened. A form sent twice announces one exclusion."""
        return uuid_or_none(self.once.data) or uuid7()

    @property
    def revision(self) -> int:
        return counted(self.seen.data)

    def plan(self) -> Plan:
        """Return the entered data, in UTC. Raises Invalid for a time that a clock change skips."""
        rule = self.repeats.data or None
        if rule == CUSTOM:
            rule = (self.rrule.data or "").strip()
            if not rule:
                raise Invalid("Enter a rule.", field="rrule")
        last = self.repeat_until.data
        return Plan(
            title=self.title.data or "",
            category=self.category.data,
            starts_at=instant(self.starts_at.data, "starts_at"),
            ends_at=instant(self.ends_at.data, "ends_at"),
            reason=self.reason.data or "",
            system_id=self.system_id.data,
            indicator_id=self.indicator_id.data,
            rrule=rule,
            repeat_until=(
                datetime.combine(last, time(23, 59), formatting.tenant_zone()).astimezone(UTC)
                if last and rule
                else None
            ),
            is_customer_visible=bool(self.is_customer_visible.data),
        )

    @classmethod
    def of(cls, row: Exclusion) -> "ExclusionForm":
        """Return the form to edit an exclusion."""
        is_simple = row.rrule is None or row.rrule in SIMPLE
        return cls(
            title=row.title,
            category=row.category,
            system_id=row.system_id,
            indicator_id=row.indicator_id,
            starts_at=_local(row.starts_at),
            ends_at=_local(row.ends_at),
            repeats=(row.rrule or "") if is_simple else CUSTOM,
            rrule="" if is_simple else row.rrule,
            repeat_until=_local(row.repeat_until).date() if row.repeat_until else None,
            reason=row.reason,
            is_customer_visible=row.is_customer_visible,
            seen=str(row.revision),
        )


class WithdrawalForm(Form):
    reason = TextAreaField(
        "Reason",
        [DataRequired("Enter a reason."), Length(max=MAX_REASON_LENGTH)],
        filters=[stripped],
    )


def instant(local: datetime | None, field: str) -> datetime:
    """Convert a local time of the tenant to UTC."""
    if local is None:
        raise Invalid("Choose a time.", field=field)
    zone: ZoneInfo = formatting.tenant_zone()
    try:
        at = local.replace(tzinfo=zone).astimezone(UTC)
        is_skipped = at.astimezone(zone).replace(tzinfo=None) != local
    except OverflowError:
        raise Invalid("Choose a time within two years.", field=field) from None
    if is_skipped:
        raise Invalid("The clocks skip this time. Choose a later one.", field=field)
    return at


def _local(at: datetime) -> datetime:
    return at.astimezone(formatting.tenant_zone()).replace(tzinfo=None)
