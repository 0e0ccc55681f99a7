"""The content of a data set's version, and the checks before it is published.

VersionContent            the description of one version
check(content, today)     raises Invalid for impossible values, naming the field
missing(content)          fields to add before it can be published
differences(old, new)     the fields that differ, as a reader sees them
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from governance.kernel.errors import Invalid
from governance.kernel.formatting import day, plural, thousands

MAX_TEXT_LENGTH = 4000
MAX_LINE_LENGTH = 300
MAX_ROWS = 10**15
MAX_AGE_DAYS = 36_500
NO_PERSONAL_DATA = "not_needed"
PERSONAL_DATA = {"yes": "Yes", "no": "No"}
CONSENT_BASES = {
    "consent": "Consent",
    "contract": "Contract",
    "legal_obligation": "Legal obligation",
    "vital_interests": "Vital interests",
    "public_task": "Public task",
    "legitimate_interests": "Legitimate interests",
    NO_PERSONAL_DATA: "Not needed: no personal data",
}


@dataclass(frozen=True, slots=True)
class VersionContent:
    """The description of one version. Unknown values are empty text or None."""

    provenance: str = ""
    source_url: str = ""
    source_version: str = ""
    licence: str = ""
    licence_text: str = ""
    personal_data: str = ""
    consent_basis: str = ""
    consent_from: date | None = None
    consent_until: date | None = None
    oldest_record: date | None = None
    newest_record: date | None = None
    max_age_days: int | None = None
    duplicate_percent: Decimal | None = None
    row_count: int | None = None
    known_gaps: str = ""
    file_sha256: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the content as JSON: dates and decimals are text."""
        return {
            name: str(value) if isinstance(value, (date, Decimal)) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def of(cls, row: Any) -> "VersionContent":
        """Return the content of a published version."""
        return cls(**{each.name: getattr(row, each.name) for each in fields(cls)})

    @property
    def has_licence(self) -> bool:
        return bool(self.licence or self.licence_text)


DAYS = ("consent_from", "consent_until", "oldest_record", "newest_record")


def from_plain(kept: Mapping[str, Any]) -> VersionContent:
    """Return the content that `plain` wrote."""
    known = {each.name for each in fields(VersionContent)}
    values = {name: value for name, value in kept.items() if name in known}
    for name in DAYS:
        values[name] = date.fromisoformat(values[name]) if values.get(name) else None
    percent = values.get("duplicate_percent")
    values["duplicate_percent"] = Decimal(percent) if percent is not None else None
    return VersionContent(**values)


def parse_percent(text: str | None) -> Decimal | None:
    """Parse "1.5" or "1.5%", a share from 0 to 100; None for empty text. Raises Invalid."""
    written = (text or "").strip().removesuffix("%").strip().replace(",", ".")
    if not written:
        return None
    try:
        value = Decimal(written)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise Invalid("Enter a percentage from 0 to 100, such as 1.5.", field="duplicate_percent")
    return value.quantize(Decimal("0.01"))


def check(content: VersionContent, today: date) -> None:
    """Raise Invalid for impossible values, naming the field to change."""
    for name in ("provenance", "licence_text", "known_gaps"):
        _check_length(content, name, MAX_TEXT_LENGTH)
    for name in ("source_url", "source_version", "licence"):
        _check_length(content, name, MAX_LINE_LENGTH)
    _check_choice(content.personal_data, PERSONAL_DATA, "personal_data")
    _check_choice(content.consent_basis, CONSENT_BASES, "consent_basis")
    if content.source_url and not content.source_url.startswith(("https://", "http://")):
        raise Invalid("Enter an address that begins with https://.", field="source_url")
    if content.licence and content.licence_text:
        raise Invalid(
            "Enter an SPDX identifier or the text of your own licence, not both.", field="licence"
        )
    _check_consent(content)
    _check_records(content, today)


def _check_length(content: VersionContent, name: str, limit: int) -> None:
    if len(getattr(content, name)) > limit:
        raise Invalid(f"Shorten this to {limit:,} characters.", field=name)


def _check_choice(value: str, choices: Mapping[str, str], field: str) -> None:
    if value and value not in choices:
        raise Invalid("Choose one of the list.", field=field)


def _check_consent(content: VersionContent) -> None:
    first, last = content.consent_from, content.consent_until
    if first is not None and last is not None and last < first:
        raise Invalid(
            f"The consent ends before it begins on {day(first)}. Enter a later day.",
            field="consent_until",
        )
    if content.personal_data == "yes" and content.consent_basis == NO_PERSONAL_DATA:
        raise Invalid(
            "The data set has personal data. Choose the basis on which it is used.",
            field="consent_basis",
        )


def _check_records(content: VersionContent, today: date) -> None:
    oldest, newest = content.oldest_record, content.newest_record
    if newest is not None and newest > today:
        raise Invalid("The newest record can't be in the future.", field="newest_record")
    if oldest is not None and newest is not None and newest < oldest:
        raise Invalid(
            f"The newest record is older than the oldest one of {day(oldest)}.",
            field="newest_record",
        )
    age, share, rows = content.max_age_days, content.duplicate_percent, content.row_count
    if age is not None and not 1 <= age <= MAX_AGE_DAYS:
        raise Invalid(f"Enter 1 to {MAX_AGE_DAYS:,} days.", field="max_age_days")
    if share is not None and not (share.is_finite() and 0 <= share <= 100):  # noqa: PLR2004
        raise Invalid("Enter a percentage from 0 to 100, such as 1.5.", field="duplicate_percent")
    if rows is not None and not 0 <= rows <= MAX_ROWS:
        raise Invalid("Enter a whole number of rows, 0 or more.", field="row_count")


def missing(content: VersionContent) -> dict[str, str]:
    """Return the fields to add before the version can be published: {field: sentence}."""
    asked = {
        "provenance": (content.provenance, "Describe where the data comes from."),
        "licence": (
            content.has_licence,
            "Enter an SPDX identifier, or the text of your own licence.",
        ),
        "personal_data": (content.personal_data, "Say whether the data set has personal data."),
        "consent_basis": (
            content.personal_data != "yes" or content.consent_basis,
            "Choose the basis on which the personal data is used.",
        ),
        "newest_record": (content.newest_record, "Enter the day of the newest record."),
        "known_gaps": (content.known_gaps, "Describe known gaps, or write: none known."),
    }
    return {name: sentence for name, (found, sentence) in asked.items() if not found}


# ---- as a reader sees it

LABELS = {
    "provenance": "Provenance",
    "source_url": "Source",
    "source_version": "Version at the source",
    "licence": "Licence",
    "licence_text": "Own licence",
    "personal_data": "Personal data",
    "consent_basis": "Consent basis",
    "consent_from": "Consent from",
    "consent_until": "Consent until",
    "oldest_record": "Oldest record",
    "newest_record": "Newest record",
    "max_age_days": "May be used for",
    "duplicate_percent": "Duplicates",
    "row_count": "Rows",
    "known_gaps": "Known gaps",
    "file_sha256": "Croissant file",
}
_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "personal_data": PERSONAL_DATA.__getitem__,
    "consent_basis": CONSENT_BASES.__getitem__,
    "max_age_days": lambda days: f"{plural(days, 'day')} after the newest record",
    "duplicate_percent": lambda share: f"{share.normalize():f}%",
    "row_count": thousands,
    "file_sha256": lambda digest: f"SHA-256 {digest[:12]}…",
    **dict.fromkeys(DAYS, day),
}


def shown(content: VersionContent) -> dict[str, str | None]:
    """Return each field by its label, as a reader sees it; None if it is unknown."""
    return {name: _shown(content, name) for name in LABELS}


def _shown(content: VersionContent, name: str) -> str | None:
    value = getattr(content, name)
    if value is None or value == "":
        return None
    return _SHOWN.get(name, str)(value)


def differences(
    old: VersionContent, new: VersionContent
) -> list[tuple[str, str | None, str | None]]:
    """Return (label, old, new) of the fields that differ, in the order of the page."""
    return [
        (label, _shown(old, name), _shown(new, name))
        for name, label in LABELS.items()
        if getattr(old, name) != getattr(new, name)
    ]
