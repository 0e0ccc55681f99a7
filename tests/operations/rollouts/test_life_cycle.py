"""The states of a rollout and the clock of its stages: properties over generated histories."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.intervals import Span
from governance.operations.gates.sample_ratio import sample_ratio
from governance.operations.gates.stage import BASIS_POINTS
from governance.operations.rollouts.ladders import LADDERS, read_ladder
from governance.operations.rollouts.life_cycle import (
    AUTOMATIC,
    FROM,
    OPEN,
    PLANNED,
    NotPossible,
    StageProgress,
    is_frozen,
    take,
)

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STAGES = 6
steps = st.sampled_from(sorted(FROM))
moments = st.integers(-500, 500).map(lambda hours: NOW + hours * HOUR)
spans = st.tuples(moments, st.integers(1, 200)).map(lambda s: Span(s[0], s[0] + s[1] * HOUR))
freezes = st.lists(spans, max_size=4)


def walked(taken, times, frozen=()):
    """Yield every stage that a sequence of steps leads to; impossible steps change nothing."""
    at = PLANNED
    for step, now in zip(taken, times, strict=False):
        before = at
        try:
            at = take(step, at, now=now, stages=STAGES, freezes=frozen)
        except NotPossible:
            continue
        yield before, step, at, now


@given(st.lists(steps, max_size=40), st.lists(moments, min_size=40, max_size=40), freezes)
def test_no_stage_is_ever_skipped_and_an_ended_rollout_stays_ended(taken, times, frozen):
    for before, step, after, _now in walked(taken, times, frozen):
        assert after.position - before.position == (step in {"start", "promote"})
        assert before.state in OPEN and 0 <= after.position < STAGES or step == "cancel"
        assert after.counted >= timedelta()


@given(st.lists(steps, max_size=40), st.lists(moments, min_size=40, max_size=40))
def test_what_automation_may_do_never_serves_more_people(taken, times):
    for before, step, after, _now in walked(taken, times):
        if step in AUTOMATIC:
            assert after.position == before.position and after.state != "running"


@given(moments, moments, freezes)
def test_a_clock_never_runs_backwards_and_a_freeze_only_takes_time_away(since, now, frozen):
    at = StageProgress("running", 2, 5 * HOUR, since)
    assert (
        5 * HOUR
        <= at.dwelt(now, frozen)
        <= at.dwelt(now)
        <= 5 * HOUR + max(now - since, timedelta())
    )


@given(moments, freezes, st.integers(0, 100), st.integers(0, 100))
def test_the_clock_is_the_same_whether_or_not_it_was_halted_for_a_moment(since, frozen, a, b):
    at, middle = StageProgress("running", 1, timedelta(), since), since + a * HOUR
    end = middle + b * HOUR
    halted = take("halt", at, now=middle, stages=STAGES, freezes=frozen)
    resumed = take("resume", halted, now=middle, stages=STAGES)
    assert halted.dwelt(end, frozen) == at.dwelt(middle, frozen)
    assert resumed.dwelt(end, frozen) == at.dwelt(end, frozen)


def test_a_freeze_that_begins_in_the_middle_stops_the_clock():
    at = StageProgress("running", 1, timedelta(), NOW)
    frozen = [Span(NOW + 3 * HOUR, NOW + 10 * HOUR)]
    assert at.dwelt(NOW + 8 * HOUR, frozen) == 3 * HOUR
    assert at.dwelt(NOW + 12 * HOUR, frozen) == 5 * HOUR
    assert is_frozen(NOW + 3 * HOUR, frozen) and not is_frozen(NOW + 10 * HOUR, frozen)


def test_a_clock_that_is_set_back_adds_nothing():
    at = StageProgress("running", 1, 2 * HOUR, NOW)
    assert at.dwelt(NOW - 5 * HOUR) == 2 * HOUR


def test_a_rollback_cant_be_rolled_back_and_the_reason_says_so():
    at = StageProgress("rolled_back", 2, timedelta(), None)
    with pytest.raises(NotPossible, match="already rolled back"):
        take("roll_back", at, now=NOW, stages=STAGES)


def test_only_the_last_stage_can_be_finished_and_it_leads_nowhere_else():
    first, last = (StageProgress("running", n, timedelta(), NOW) for n in (0, STAGES - 1))
    with pytest.raises(NotPossible, match="no stage can be skipped"):
        take("finish", first, now=NOW, stages=STAGES)
    with pytest.raises(NotPossible, match="Finish it"):
        take("promote", last, now=NOW, stages=STAGES)
    assert take("finish", last, now=NOW, stages=STAGES).state == "finished"


@pytest.mark.parametrize("lane", sorted(LADDERS))
def test_a_ladder_begins_in_the_shadow_and_grows_to_everybody(lane):
    ladder = LADDERS[lane]
    shares = [each.share for each in ladder]
    assert shares[0] == 0 and shares[-1] == BASIS_POINTS and shares == sorted(set(shares))
    assert read_ladder([each.plain() for each in ladder]) == ladder


def test_the_ladder_of_high_risk_is_longer_and_slower():
    standard, high = LADDERS["standard"], LADDERS["high_risk"]
    assert len(high) > len(standard)
    assert sum(each.hours for each in high) > sum(each.hours for each in standard)


@pytest.mark.parametrize(
    ("candidate", "current", "expected", "mismatch"),
    [
        (2318, 43702, 0.05, False),  # 5.04%: p = 0.72.
        (2800, 43220, 0.05, True),
        (3, 40, 0.05, False),  # Too few to test.
        (0, 0, 0.05, False),
        (400, 0, 1.0, False),
        (400, 1, 1.0, True),
        (1, 400, 0.0, True),
    ],
)
def test_a_ratio_that_chance_doesnt_explain_is_a_mismatch(candidate, current, expected, mismatch):
    found = sample_ratio(candidate, current, expected)
    assert found.is_mismatch is mismatch


def test_the_ratio_agrees_with_scipy():
    from scipy.stats import chisquare

    found = sample_ratio(2318, 43702, 0.05)
    assert found.p_value == pytest.approx(chisquare([2318, 43702], [2301, 43719]).pvalue)
    assert f"{found.p_value:.2f}" == "0.72"
