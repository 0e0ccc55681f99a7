"""The days of a period that evidence covers, shown alike in title and chart."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.assessments.period_coverage import period_coverage, sentence
from governance.assurance.assessments.period_evidence import coverage_title

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
days = st.dates(date(2025, 6, 1), date(2027, 6, 1))
stretches = st.lists(st.tuples(days, days).map(sorted).map(tuple), max_size=8)


@given(stretches, days, st.integers(-3, 500))
def test_each_day_is_covered_or_in_a_gap(found, first, length):
    last = first + timedelta(days=length)
    covers = period_coverage(found, first, last)
    assert covers.covered_days + covers.gap_days == covers.days
    every = {first + timedelta(days=n) for n in range(covers.days)}
    held = {day for day in every if any(begins <= day <= ends for begins, ends in found)}
    assert covers.covered_days == len(held)
    assert covers.is_whole == (held == every) == ("whole period" in sentence("It", covers))


def test_three_months_of_twelve():
    """Cover the first year of every new tenant."""
    covers = period_coverage([(date(2026, 8, 27), date(2026, 11, 26))], FIRST, date(2026, 11, 26))
    assert covers.covered_days == 92
    assert sentence("Admission record", covers) == (
        "Admission record covers 92 of 330 days; gap from 1 January 2026 to 26 August 2026"
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([(FIRST, LAST)], "A covers the whole period"),
        ([(FIRST, date(2026, 6, 30)), (date(2026, 7, 1), LAST)], "A covers the whole period"),
        ([], "A covers 0 of 365 days; gap from 1 January 2026 to 31 December 2026"),
        (
            [(FIRST, date(2026, 3, 1)), (date(2026, 3, 3), LAST)],
            "A covers 364 of 365 days; gap on 2 March 2026",
        ),
        (
            [(date(2026, 2, 1), date(2026, 11, 30))],
            "A covers 303 of 365 days; longest gap from 1 January 2026 to 31 January 2026",
        ),
    ],
)
def test_the_sentence_names_the_days_and_the_gap(found, says):
    assert sentence("A", period_coverage(found, FIRST, LAST)) == says


def test_a_period_that_runs_is_counted_up_to_today():
    covers = period_coverage([(FIRST, LAST)], FIRST, date(2026, 2, 1), is_over=False)
    assert covers.days == 32
    assert sentence("A", covers) == "A covers the whole period so far"


def test_several_items_name_the_one_with_the_fewest_days():
    whole, half = (
        period_coverage([(FIRST, until)], FIRST, LAST) for until in (LAST, date(2026, 6, 30))
    )
    assert coverage_title(["A", "B"], [whole, whole]) == "The evidence covers the whole period"
    assert coverage_title(["A"], [whole]) == "The evidence item covers the whole period"
    assert coverage_title(["A", "B"], [whole, half]) == (
        "One of 2 evidence items leaves a gap: B covers 181 of 365 days; gap from 1 July 2026 to"
        " 31 December 2026"
    )
