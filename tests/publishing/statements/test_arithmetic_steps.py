"""The sums of screen 14, from top to bottom."""

import pytest

from governance.publishing.statements import figures
from governance.publishing.statements.arithmetic_steps import steps
from governance.publishing.statements.closing import notes_of
from tests.publishing.statements import statement_samples as samples

SCREEN_14 = [
    ("Minutes in October", "31 × 1,440 + 60: the 25th has 25 hours", "44,700"),
    ("Excluded", "maintenance 4 and 18 October", "− 240"),
    ("No data", "9 October", "− 384"),
    ("Measured", "", "44,076"),
    ("Down", "561, of which 66 in excluded minutes", "− 495"),
    ("Up", "43,581 ÷ 44,076 = 98.876%", "43,581"),
    ("Band", "98.0% or more, under 99.0%", "10%"),
    ("Fee of claims-triage · Availability", "part of €12,400.00", "€5,200.00"),
    ("Credit", "10% × €5,200.00", "€520.00"),
    ("Answers in October", "", "418,310"),
    ("Not good", "", "− 24,680"),
    ("Good", "393,630 ÷ 418,310 = 94.100%", "393,630"),
    ("Band", "under 95.0%", "5%"),
    ("Fee of support-assistant · First token", "part of €12,400.00", "€4,800.00"),
    ("Credit", "5% × €4,800.00", "€240.00"),
    ("Cap", "30% × €12,400.00 = €3,720.00, not reached", "€0.00"),
    ("Credit for October", "€520.00 + €240.00", "€760.00"),
]


def test_the_sums_of_screen_14():
    facts, counts = samples.facts(), samples.counts()
    found = steps(facts, samples.result_of(facts, counts), notes_of(facts, counts))
    assert [(each.label, each.how, each.value) for each in found] == SCREEN_14


@pytest.mark.parametrize(
    ("value", "shown"),
    [("43581/44076", "98.876%"), ("1/1", "100.000%"), ("99999999/100000000", "99.999%")],
)
def test_attainment_is_cut_off_and_never_rounded_up(value, shown):
    assert figures.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("0.99", "99.0%"), ("0.9995", "99.95%"), ("1", "100.0%")]
)
def test_a_promise_reads_as_it_was_agreed(value, shown):
    assert figures.promise(value) == shown
