"""Our scale, by properties: worse controls never give a better level, and coverage counts each point once."""

from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from governance.assessments.coverage import LEVELS, Standing, coverage, derive, gaps, level_of
from governance.controls.status import RANK, ControlFacts, Reason, Status

CONTROL = ControlFacts(
    UUID(int=1), "SEC-01", "A control", "", "preventive", "manual", "monthly", None, None, 1, date(2026, 1, 1), (), (), ()
)
BAD = {"failing": "bad", "missing": "warn", "due": "warn", "evidenced": "open"}


def status(name):
    reasons = (Reason(BAD[name], f"It is {name}.", "", "control", "SEC-01", None),) if name in BAD else ()
    return Status(name, name, reasons)


answers = st.lists(st.tuples(st.sampled_from(["full", "partial"]), st.sampled_from(RANK).map(status)), max_size=6)
standings = st.lists(
    st.builds(
        Standing,
        st.sampled_from(["MAP 1.1", "MAP 1.2", "GOVERN 1.1"]),
        st.integers(0, 4),
        st.integers(0, 4),
        st.sampled_from(["MAP", "GOVERN"]),
    ),
    max_size=12,
)


def with_control(each):
    return [(CONTROL, how_far, found) for how_far, found in each]


@given(answers, st.data())
def test_a_worse_control_never_gives_a_better_level(each, data):
    if not each:
        return
    at = data.draw(st.integers(0, len(each) - 1))
    how_far, found = each[at]
    worse = data.draw(st.sampled_from(RANK[: found.rank + 1]))
    changed = [*each[:at], (how_far, status(worse)), *each[at + 1 :]]
    assert level_of(changed) <= level_of(each)


@given(answers, st.data())
def test_less_coverage_never_gives_a_better_level(each, data):
    """Except that a control which works only on the day holds nothing back when it answers in part only."""
    fulls = [n for n, (how_far, _) in enumerate(each) if how_far == "full"]
    if not fulls:
        return
    at = data.draw(st.sampled_from(fulls))
    changed = [*each[:at], ("partial", each[at][1]), *each[at + 1 :]]
    assert level_of(changed) <= level_of(each) or each[at][1].name == "evidenced"


@given(answers)
def test_the_levels_mean_what_they_say(each):
    names, level = {found.name for _, found in each}, level_of(each)
    assert (level == 0) == (not each)
    assert ("failing" in names) == (level == 1)
    if level >= 3:
        assert names <= {"evidenced", "effective"} and any(how_far == "full" for how_far, _ in each)
    if level == 4:
        assert all(found.name == "effective" for how_far, found in each if how_far == "full")


@given(answers)
def test_every_level_below_the_highest_says_why_and_what_lifts_it(each):
    derived = derive(with_control(each))
    assert derived.level == level_of(each)
    assert derived.word == LEVELS[derived.level]
    assert bool(derived.reasons) == (derived.level < 4)
    assert [bool(text) for text in derived.ladder] == [n > derived.level for n in range(5)]
    assert derived.is_red == (derived.level <= 1)
    assert len(set(derived.reasons)) == len(derived.reasons)


@given(standings)
def test_coverage_counts_each_point_once(rows):
    share = coverage(rows)
    assert 0 <= share.reached <= share.wanted
    assert 0 <= share.percent <= 100
    assert sum(share.levels) == share.count == len(rows)
    assert (share.met == share.count) == (share.reached == share.wanted)


@given(standings)
def test_closing_every_gap_is_worth_what_is_missing(rows):
    found, share = gaps(rows), coverage(rows)
    assert abs(sum(gap.moves for gap in found) - (100 - share.percent)) < 1e-6
    assert [gap.moves for gap in found] == sorted((gap.moves for gap in found), reverse=True)
    assert all(gap.moves_function >= gap.moves for gap in found)


def test_what_stands_above_its_target_makes_up_for_nothing():
    assert coverage([Standing("A 1", 4, 2), Standing("A 2", 0, 2)]).percent == 50
    assert coverage([]).percent == 100
