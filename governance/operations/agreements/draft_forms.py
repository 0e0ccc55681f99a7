"""The form of an agreement's draft, to and from its content. It works without JavaScript.

Rows of commitments are numbered c0, c1, …; support rows s1 to s4; bands b0, b1, … inside them. A
row with only empty fields is left out.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import (
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length

from governance.foundation.tenants.forms import ZONES
from governance.kernel.days import DayField
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.web.forms import Form, submission
from governance.operations.agreements.business_time import DAY_NAMES
from governance.operations.agreements.credits import MAX_BANDS
from governance.operations.agreements.drafts import (
    CATEGORIES,
    MAX_COMMITMENTS,
    CommitmentContent,
    Content,
    SupportContent,
)
from governance.operations.agreements.money import DIGITS, plain_amount, read_amount
from governance.operations.agreements.starting_terms import exact_share

SEVERITIES = (1, 2, 3, 4)
CLOCKS = [("business_hours", "Business hours"), ("24x7", "Around the clock")]
WEEKDAYS = dict(
    zip(
        DAY_NAMES,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)
SPARE_BANDS, MIN_BANDS = 1, 3
ROW_OF_FIELD = re.compile(r"c(\d+)_(.+)\Z")


class DraftFields(Form):
    """The fields that each draft has once; `draft_form` adds the rows."""

    edited = HiddenField()
    effective_from = DayField("Effective from")
    ends_on = DayField("Last day of the term", required=False)
    time_zone = SelectField("Time zone", choices=[(zone, zone) for zone in [*ZONES, "UTC"]])
    currency = SelectField("Currency", choices=[(code, code) for code in DIGITS])
    monthly_fee = StringField("Monthly fee", [DataRequired("Enter the fee of a month.")])
    cap = StringField("Credit cap, % of the fee", [DataRequired("Enter a cap, or 100.")])
    coverage = StringField(
        "Minimum coverage, %", [DataRequired("Enter the share of minutes with data.")]
    )
    close_day = StringField("Month closes on day", [DataRequired("Enter a day from 1 to 28.")])
    claim_days = StringField("Days to claim", [DataRequired("Enter a number of days.")])
    notice_hours = StringField(
        "Maintenance notice, hours", [DataRequired("Enter a number of hours.")]
    )
    categories = SelectMultipleField("Excluded minutes", choices=list(CATEGORIES.items()))
    country = StringField("Holidays of country", [Length(max=3)])
    subdivision = StringField("State or region", [Length(max=8)])
    own_days = StringField("Own days off", [Length(max=1000)])
    reason = TextAreaField("Reason for this version", [Length(max=2000)])


def draft_form(
    content: Content | None, edited: int, reason: str, choices: Sequence[tuple[str, str]]
) -> Any:
    """Build the form of a draft, filled from the request or else from `content`."""
    sent = submission().fields
    rows = _row_count(sent, content)
    bands = _band_count(sent, content)
    members: dict[str, Any] = {}
    for row in range(rows):
        members |= _commitment_fields(f"c{row}", row, bands, choices)
    for severity in SEVERITIES:
        members |= _support_fields(f"s{severity}", severity)
    for day, name in WEEKDAYS.items():
        members[f"hours_{day}"] = StringField(name, [Length(max=100)])
    kind = type("DraftForm", (DraftFields,), members)
    form = kind(**(_values(content, edited, reason) if content is not None else {}))
    form.rows, form.bands = rows, bands
    return form


def _row_count(sent: Any, content: Content | None) -> int:
    given = [
        int(m[1]) + 1
        for name in sent
        if (m := ROW_OF_FIELD.match(name)) and len(m[1]) < 4  # noqa: PLR2004 - a row number
    ]
    present = max(given, default=len(content.commitments) if content else 0)
    more = 1 if sent.get("verb") == "more" or present == 0 else 0
    return min(present + more, MAX_COMMITMENTS)


def _band_count(sent: Any, content: Content | None) -> int:
    found = [len(each.bands) for each in content.commitments] if content else []
    names = (re.match(r"c\d+_b(\d)_below\Z", name) for name in sent)
    found += [int(m[1]) + 1 - SPARE_BANDS for m in names if m]
    return min(max(MIN_BANDS, max(found, default=0) + SPARE_BANDS), MAX_BANDS)


def _commitment_fields(
    prefix: str, row: int, bands: int, choices: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    name = f"Commitment {row + 1}"
    fields: dict[str, Any] = {
        f"{prefix}_measures": SelectField(
            f"{name}: measures", choices=[("", "None: leave this row out"), *choices], default=""
        ),
        f"{prefix}_target": StringField("Target, %", [Length(max=20)]),
        f"{prefix}_fee": StringField("Part of the fee", [Length(max=30)]),
    }
    return fields | _band_fields(prefix, bands)


def _support_fields(prefix: str, severity: int) -> dict[str, Any]:
    fields: dict[str, Any] = {
        f"{prefix}_response": StringField(f"SEV{severity} response, minutes", [Length(max=10)]),
        f"{prefix}_resolution": StringField("Resolution, minutes", [Length(max=10)]),
        f"{prefix}_clock": SelectField("Clock", choices=CLOCKS),
        f"{prefix}_target": StringField("In time, %", [Length(max=20)]),
        f"{prefix}_fee": StringField("Part of the fee", [Length(max=30)]),
    }
    return fields | _band_fields(prefix, 2)


def _band_fields(prefix: str, bands: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for n in range(bands):
        fields[f"{prefix}_b{n}_below"] = StringField(f"Band {n + 1}: below, %", [Length(max=20)])
        fields[f"{prefix}_b{n}_share"] = StringField("credit, %", [Length(max=20)])
    return fields


# ---- from content to texts


def _values(content: Content, edited: int, reason: str) -> dict[str, Any]:
    zone, calendar = ZoneInfo(content.time_zone), content.business_hours
    values: dict[str, Any] = {
        "edited": str(edited),
        "effective_from": content.effective_from.astimezone(zone).date(),
        "ends_on": content.ends_on,
        "time_zone": content.time_zone,
        "currency": content.currency,
        "monthly_fee": plain_amount(content.monthly_fee, content.currency),
        "cap": _percent(content.credit_cap),
        "coverage": _percent(content.minimum_coverage),
        "close_day": str(content.close_day),
        "claim_days": str(content.claim_days),
        "notice_hours": str(content.maintenance_notice_hours),
        "categories": list(content.excluded_categories),
        "country": calendar.get("country", ""),
        "subdivision": calendar.get("subdivision", ""),
        "own_days": ", ".join(calendar.get("own_days", [])),
        "reason": reason,
    }
    for day in DAY_NAMES:
        spans = calendar.get("hours", {}).get(day, [])
        values[f"hours_{day}"] = ", ".join("-".join(span) for span in spans)
    for row, each in enumerate(content.commitments):
        values |= _commitment_values(f"c{row}", each, content.currency)
    for term in content.support:
        values |= _support_values(f"s{term.severity}", term, content.currency)
    return values


def _commitment_values(prefix: str, each: CommitmentContent, currency: str) -> dict[str, Any]:
    measures = (
        f"objective:{each.objective_id}"
        if each.objective_id
        else f"indicator:{each.indicator_id}"
        if each.indicator_id
        else f"vendor:{each.vendor_kind or 'any'}"
    )
    return {
        f"{prefix}_measures": measures,
        f"{prefix}_target": _percent(each.target),
        f"{prefix}_fee": plain_amount(each.fee_part, currency),
        **_band_values(prefix, each.bands),
    }


def _support_values(prefix: str, term: SupportContent, currency: str) -> dict[str, Any]:
    return {
        f"{prefix}_response": str(term.response_minutes),
        f"{prefix}_resolution": str(term.resolution_minutes or ""),
        f"{prefix}_clock": term.clock,
        f"{prefix}_target": _percent(term.target),
        f"{prefix}_fee": plain_amount(term.fee_part, currency),
        **_band_values(prefix, term.bands),
    }


def _band_values(prefix: str, bands: Sequence[Sequence[str]]) -> dict[str, str]:
    found = {}
    for n, (below, share) in enumerate(bands):
        found[f"{prefix}_b{n}_below"] = _percent(Decimal(below))
        found[f"{prefix}_b{n}_share"] = _percent(Decimal(share))
    return found


def _percent(share: Decimal) -> str:
    shown = f"{share * 100:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


# ---- from texts to content


def content_in(form: Any) -> Content:
    """Return the content of the form. Raises Invalid, naming the field."""
    zone = form.time_zone.data
    day = form.effective_from.data
    currency = form.currency.data
    return Content(
        effective_from=datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC),
        ends_on=form.ends_on.data,
        time_zone=zone,
        currency=currency,
        monthly_fee=read_amount(form.monthly_fee.data, currency, field="monthly_fee"),
        credit_cap=_share(form, "cap"),
        minimum_coverage=_share(form, "coverage"),
        close_day=_whole(form, "close_day"),
        claim_days=_whole(form, "claim_days"),
        maintenance_notice_hours=_whole(form, "notice_hours"),
        excluded_categories=tuple(form.categories.data or ()),
        business_hours=_calendar(form, zone),
        commitments=tuple(_commitment(form, f"c{row}", currency) for row in filled_rows(form)),
        support=tuple(
            _support(form, severity, currency)
            for severity in SEVERITIES
            if form[f"s{severity}_response"].data
        ),
    )


def filled_rows(form: Any) -> list[int]:
    """Return the rows of commitments that have content."""
    return [row for row in range(form.rows) if form[f"c{row}_measures"].data]


def at_form_row(error: DomainError, form: Any) -> DomainError:
    """Point an error about the n-th commitment to its row of the form."""
    found = ROW_OF_FIELD.match(error.field or "")
    rows = filled_rows(form)
    if found is not None and int(found[1]) < len(rows):
        error.field = f"c{rows[int(found[1])]}_{found[2]}"
    return error


def _commitment(form: Any, prefix: str, currency: str) -> CommitmentContent:
    kind, _, name = form[f"{prefix}_measures"].data.partition(":")
    return CommitmentContent(
        objective_id=UUID(name) if kind == "objective" else None,
        indicator_id=UUID(name) if kind == "indicator" else None,
        vendor=kind == "vendor",
        vendor_kind=name if kind == "vendor" and name != "any" else None,
        target=_share(form, f"{prefix}_target"),
        bands=_bands(form, prefix, form.bands),
        fee_part=_amount(form, f"{prefix}_fee", currency),
    )


def _support(form: Any, severity: int, currency: str) -> SupportContent:
    prefix = f"s{severity}"
    resolution = form[f"{prefix}_resolution"].data
    return SupportContent(
        severity=severity,
        response_minutes=_whole(form, f"{prefix}_response"),
        resolution_minutes=_whole(form, f"{prefix}_resolution") if resolution else None,
        clock=form[f"{prefix}_clock"].data,
        target=_share(form, f"{prefix}_target"),
        bands=_bands(form, prefix, 2),
        fee_part=_amount(form, f"{prefix}_fee", currency),
    )


def _bands(form: Any, prefix: str, count: int) -> list[list[str]]:
    found = []
    for n in range(count):
        below, share = f"{prefix}_b{n}_below", f"{prefix}_b{n}_share"
        if form[below].data or form[share].data:
            found.append([exact_share(_share(form, below)), exact_share(_share(form, share))])
    return found


def _amount(form: Any, field: str, currency: str) -> int:
    text = cast("str", form[field].data or "")
    return read_amount(text, currency, field=field) if text.strip() else 0


def _share(form: Any, field: str) -> Decimal:
    """Convert a percentage to an exact share: 99.9 → 0.999."""
    text = (form[field].data or "").strip().removesuffix("%").strip()
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        label = form[field].label.text
        wrong = f"“{text[:20]}” isn't a percentage" if text else f"{label} is empty"
        raise Invalid(f"{wrong}. Enter one such as 99.9.", field=field) from error
    if not value.is_finite() or not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise Invalid("Enter a percentage from 0 to 100.", field=field)
    share = value / 100
    if share != round(share, 10):
        raise Invalid("Use up to eight decimals.", field=field)
    return share


def _whole(form: Any, field: str) -> int:
    text = (form[field].data or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 6:  # noqa: PLR2004 - digits
        raise Invalid(f"“{text[:20]}” isn't a whole number.", field=field)
    return int(text)


def _calendar(form: Any, zone: str) -> dict[str, Any]:
    hours = {}
    for day in DAY_NAMES:
        text = (form[f"hours_{day}"].data or "").replace("–", "-")  # noqa: RUF001 - people type it
        spans = [part.strip().split("-") for part in text.split(",") if part.strip()]
        if any(len(span) != 2 for span in spans):  # noqa: PLR2004 - from and to
            raise Invalid(
                f"{WEEKDAYS[day]}: enter hours such as 09:00-12:00, 13:00-17:00.",
                field=f"hours_{day}",
            )
        if spans:
            hours[day] = [[a.strip(), b.strip()] for a, b in spans]
    return {
        "zone": zone,
        "hours": hours,
        "country": (form.country.data or "").strip().upper(),
        "subdivision": (form.subdivision.data or "").strip().upper(),
        "own_days": [part for part in re.split(r"[,\s]+", form.own_days.data or "") if part],
    }
