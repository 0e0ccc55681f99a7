"""Freshness as the library words it, at the edges of each day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from governance.assurance.evidence.freshness import Version, freshness
from governance.assurance.evidence.period_labels import period_label

TODAY = date(2026, 11, 25)
HELD = Version(
    1,
    date(2026, 11, 1),
    date(2026, 11, 2),
    date(2026, 8, 1),
    date(2026, 10, 31),
    date(2027, 2, 1),
    "accepted",
    "ab",
    "upload",
    "Anna Rossi",
)


def found(*versions, cadence="quarterly", due_on=None, today=TODAY):
    fresh = freshness(versions, cadence=cadence, due_on=due_on, today=today)
    return fresh.state, fresh.says


@pytest.mark.parametrize(
    ("versions", "options", "answer"),
    [
        ((HELD,), {}, ("fresh", "fresh")),
        ((HELD,), {"today": date(2027, 2, 1)}, ("due", "due 1 Feb")),
        ((HELD,), {"today": date(2027, 2, 2)}, ("overdue", "1 day overdue")),
        ((HELD,), {"today": date(2027, 1, 17), "cadence": "yearly"}, ("fresh", "fresh")),
        ((HELD,), {"today": date(2027, 1, 18), "cadence": "yearly"}, ("due", "due 1 Feb")),
        (
            (replace(HELD, valid_until=date(2026, 11, 28)),),
            {"cadence": "weekly"},
            ("due", "due 28 Nov"),
        ),
        (
            (replace(HELD, collected_on=date(2026, 10, 15)),),
            {"cadence": "monthly"},
            ("due", "41 days old"),
        ),
        (
            (replace(HELD, collected_on=date(2020, 1, 1)),),
            {"cadence": "per release"},
            ("fresh", "fresh"),
        ),
        ((), {}, ("missing", "missing")),
        ((), {"due_on": date(2026, 12, 5)}, ("missing", "missing, due 5 Dec")),
        ((), {"due_on": date(2026, 11, 13)}, ("overdue", "12 days overdue")),
        ((replace(HELD, review="pending"),), {}, ("in review", "in review")),
        ((replace(HELD, review="rejected"),), {}, ("rejected", "rejected")),
        ((HELD, replace(HELD, number=2, review="rejected")), {}, ("fresh", "fresh")),
        (
            (
                replace(HELD, valid_until=date(2026, 11, 13)),
                replace(HELD, number=2, review="pending"),
            ),
            {},
            ("overdue", "12 days overdue"),
        ),
        (
            (replace(HELD, review="pending", valid_until=date(2026, 11, 13)),),
            {},
            ("overdue", "12 days overdue"),
        ),
    ],
)
def test_freshness(versions, options, answer):
    assert found(*versions, **options) == answer


def test_an_upload_that_nobody_reviewed_changes_nothing_that_counts():
    late = replace(HELD, valid_until=TODAY - timedelta(days=3))
    waiting = replace(HELD, number=2, review="pending")
    assert found(late, waiting) == found(late)


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), "Nov 2026"),
        (date(2026, 10, 1), date(2026, 12, 31), "Q4 2026"),
        (date(2026, 7, 1), date(2026, 12, 31), "Jul to Dec 2026"),
        (date(2026, 1, 1), date(2026, 12, 31), "2026"),
        (date(2026, 11, 25), date(2026, 11, 25), "25 Nov 2026"),
        (date(2025, 12, 3), date(2026, 2, 10), "3 Dec 2025 to 10 Feb 2026"),
        (date(2026, 11, 2), date(2026, 11, 30), "2 Nov to 30 Nov 2026"),
    ],
)
def test_periods_are_named_as_people_name_them(first, last, says):
    assert period_label(first, last) == says
