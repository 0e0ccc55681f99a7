"""Budget, pace and overlaps by published numbers, and the budget's laws as properties.

Sources: Site Reliability Workbook, chapter 5 ("Alerting on SLOs", table of burn rates); the SLA
vectors that Icinga DB publishes (numbers of tests/sql/sla_test.go).
"""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.intervals import Span, check_span, difference, intersection, minutes, union
from governance.operations.measurements.scoring import Budget, Counts, Score, budget, burn_rate
from governance.operations.objectives.pace import gone_at

NOW = datetime(2026, 11, 25, 10, 10, tzinfo=UTC)


# ---- exhausted budgets


def test_the_objective_of_screen_12_is_gone_on_27_november():
    left = Fraction(5, 1000) * 41_356 - 159
    assert left == Fraction("47.78")
    last_day = Counts(minutes=1440, down=25)
    burn = burn_rate(last_day, "downtime", Fraction(995, 1000))
    assert round(float(burn), 1) == 3.5
    found = gone_at(left, last_day, "downtime", Fraction(995, 1000), now=NOW)
    assert found.date().isoformat() == "2026-11-27"


def test_at_a_burn_rate_of_one_or_less_a_window_never_runs_out():
    target = Fraction(99, 100)
    assert gone_at(Fraction(5), Counts(1440, 0, 990, 1000), "ratio", target, now=NOW) is None
    assert gone_at(Fraction(5), Counts(1440, 0, 989, 1000), "ratio", target, now=NOW) is not None


def test_a_spent_budget_is_gone_now():
    assert gone_at(Fraction(0), Counts(), "ratio", Fraction(1, 2), now=NOW) == NOW
    assert gone_at(Fraction(-1), Counts(), "ratio", Fraction(1, 2), now=NOW) == NOW


def test_the_budget_of_a_month_grows_and_has_no_pace_past_its_end():
    month = Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    last_day = Counts(minutes=1440, down=Fraction("17.2"))  # 10 more than a day allows.
    target = Fraction(995, 1000)
    found = gone_at(Fraction(20), last_day, "downtime", target, now=NOW, month=month)
    assert found == NOW + timedelta(days=2)
    assert gone_at(Fraction(60), last_day, "downtime", target, now=NOW, month=month) is None


# ---- overlaps, by Icinga DB's vectors: 1000 to 2000, here in minutes


def at(minute: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)


def spans(*pairs: tuple[int, int]) -> list[Span]:
    return [Span(at(start), at(end)) for start, end in pairs]


def attained(problems, *, maintenance=(), unknown=()) -> Fraction:
    """Return percent good of the minutes 1000 to 2000, as objectives count them."""
    window = spans((1000, 2000))
    known = difference(window, spans(*unknown))
    hidden = intersection(window, spans(*maintenance))
    counted = difference(known, hidden)
    down = intersection(counted, spans(*problems))
    score = Score("downtime", 1000, minutes(hidden), Counts(minutes(counted), minutes(down)))
    assert score.attained is not None
    return score.attained * 100


def test_every_problem_counts():
    assert attained([(1000, 1100), (1300, 1400), (1600, 1700), (1900, 2000)]) == 60


def test_problems_inside_maintenance_dont_count():
    """Leave maintenance out of the total: 500 of 600. Icinga has 90% of all the time."""
    window, hidden = spans((1000, 2000)), spans((1100, 1300), (1400, 1600))
    down = minutes(difference(intersection(window, spans((1200, 1500))), hidden))
    assert down == 100
    assert 100 - Fraction(down, 10) == 90
    assert attained([(1200, 1500)], maintenance=[(1100, 1300), (1400, 1600)]) == Fraction(500, 6)


def test_overlapping_maintenance_counts_once():
    overlapping = spans((600, 1000), (800, 1200), (1000, 1400), (1600, 2000), (1800, 2200))
    hidden = intersection(spans((1000, 2000)), overlapping)
    assert minutes(hidden) == 800
    down = minutes(difference(intersection(spans((1000, 2000)), spans((800, 2500))), hidden))
    assert 100 - Fraction(down, 10) == 80


def test_a_problem_from_before_the_window_counts_inside_it():
    assert attained([(0, 3000)]) == 0
    assert attained([(800, 1200)]) == 80


def test_unknown_time_shrinks_the_total():
    assert attained([(1500, 1700)], unknown=[(1000, 1500)]) == 60
    assert attained([(1800, 2000)], unknown=[(1100, 1600)]) == 60


def test_an_empty_history_is_not_100_percent():
    """Differ from Icinga on purpose, where it is 100%."""
    score = Score("downtime", 1000, 0, Counts())
    assert score.attained is None
    assert not score.is_determinable(Fraction(0))


@pytest.mark.parametrize(("start", "end"), [(1000, 1000), (2000, 1000)])
def test_an_empty_or_negative_period_is_an_error(start, end):
    with pytest.raises(ValueError, match="empty or negative"):
        check_span(Span(at(start), at(end)))


# ---- laws of the budget

TARGETS = st.integers(1, 10**9 - 1).map(lambda n: Fraction(n, 10**9))
COUNTS = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)).map(
    lambda pair: Counts(1440, 0, min(pair), max(pair))
)


def score_of(counts: Counts) -> Score:
    return Score("ratio", 1440, 0, counts)


@given(COUNTS, TARGETS)
def test_a_budget_is_exact(counts, target):
    found = budget(score_of(counts), target)
    assert isinstance(found.left, Fraction)
    assert found.allowed == (1 - target) * counts.total
    assert found.left + found.lost == found.allowed


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_budget_that_is_spent_exactly_is_zero_and_nothing_else(total, parts):
    """Return exactly zero, not -4.7e-12%, when lost equals what the target allows."""
    total *= parts
    lost = total // parts
    found = (
        budget(score_of(Counts(1, 0, total - lost, total)), 1 - Fraction(1, parts))
        if (parts > 1)
        else Budget(Fraction(lost), lost)
    )
    assert found.left == 0
    assert found.left_share == 0


@given(COUNTS, TARGETS)
def test_without_a_loss_the_whole_budget_is_left(counts, target):
    unspoiled = Counts(counts.minutes, 0, counts.total, counts.total)
    assert budget(score_of(unspoiled), target).left_share in {1, None}


@given(st.lists(COUNTS, min_size=1, max_size=6), TARGETS)
def test_budgets_of_parts_add_up_to_the_budget_of_the_whole(parts, target):
    whole = sum(parts, Counts())
    each = [budget(score_of(part), target) for part in parts]
    assert sum(one.allowed for one in each) == budget(score_of(whole), target).allowed
    assert sum(one.left for one in each) == budget(score_of(whole), target).left


@given(COUNTS, TARGETS, TARGETS)
def test_a_tighter_target_never_leaves_more(counts, one, other):
    loose, tight = sorted((one, other))
    assert budget(score_of(counts), tight).left <= budget(score_of(counts), loose).left


SPANS = st.lists(
    st.tuples(st.integers(0, 500), st.integers(1, 100)).map(lambda p: (p[0], p[0] + p[1])),
    max_size=6,
).map(lambda pairs: spans(*pairs))


@given(SPANS, SPANS)
def test_excluded_and_counted_minutes_add_up_to_the_window(window, exclusions):
    hidden, counted = intersection(window, exclusions), difference(window, exclusions)
    assert minutes(hidden) + minutes(counted) == minutes(union(window))
    assert intersection(hidden, counted) == []
