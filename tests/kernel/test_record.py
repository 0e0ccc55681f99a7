"""Declared records: what their declaration checks, compares and writes to the audit log."""

from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace

import pytest

from governance.kernel.errors import Invalid
from governance.kernel.pages.record import Field, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class TripContent:
    title: str
    notes: str = ""
    mode: str = "train"
    stops: tuple[str, ...] = ()
    leaves_on: date | None = None


TRIP = Record(
    TripContent,
    "trips",
    title=Field("Title", "line", required="Enter a title.", longest=10),
    notes=Field("Notes", "text", longest=20, audit=""),
    mode=Field("Mode", "choice", choices=(("train", "Train"), ("bus", "Bus")), report="by"),
    stops=Field("Stops", "choices", choices=(("a", "A"), ("b", "B"), ("c", "C")), longest=2),
    leaves_on=Field("Leaves on", "day", noun="departure", audit="departure", report="leaves"),
)
NORTH = TripContent(title="North", leaves_on=date(2026, 12, 3))


def test_a_declaration_and_its_dataclass_have_the_same_fields():
    with pytest.raises(TypeError, match="differ in notes"):
        Record(TripContent, "other", **{n: each for n, each in TRIP.fields.items() if n != "notes"})


def test_texts_are_trimmed_and_choices_come_in_the_offered_order():
    given = replace(NORTH, title="  Far   north ", notes=" a\nb ", stops=("c", "a", "c"))
    checked = TRIP.checked(given)
    assert (checked.title, checked.notes, checked.stops) == ("Far north", "a\nb", ["a", "c"])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "  ", "Enter a title."),
        ("title", "x" * 11, "up to 10 characters"),
        ("notes", "x" * 21, "up to 20 characters"),
        ("mode", "boat", "Mode: choose an option"),
        ("mode", "", "Mode: choose an option"),
        ("stops", ("a", "z"), "“z” isn't on the list"),
        ("stops", ("a", "b", "c"), "up to 2 stops"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field(field, value, said):
    with pytest.raises(Invalid, match=said) as refused:
        TRIP.checked(replace(NORTH, **{field: value}))
    assert refused.value.field == field


def test_changes_name_what_differs():
    later = replace(NORTH, leaves_on=date(2026, 12, 4), mode="bus")
    changed = TRIP.changes(later, NORTH)
    assert changed == {
        "mode": ("bus", "train"),
        "leaves_on": (date(2026, 12, 4), date(2026, 12, 3)),
    }
    assert TRIP.named(changed) == "mode, departure"


def test_the_audit_log_keeps_declared_fields_by_their_audit_names():
    assert TRIP.audited("ref").split() == ["ref", "title", "mode", "stops", "departure"]
    assert TRIP.recorded(NORTH, stops="none") == {
        "title": "North",
        "mode": "train",
        "stops": "none",
        "departure": date(2026, 12, 3),
    }


def test_a_report_shows_labels_and_days_as_text():
    row = SimpleNamespace(mode="bus", leaves_on=date(2026, 12, 3))
    assert TRIP.reported(row) == {"mode": "Bus", "leaves_on": "2026-12-03"}
    assert dict(TRIP.report_heads) == {"mode": "by", "leaves_on": "leaves"}
