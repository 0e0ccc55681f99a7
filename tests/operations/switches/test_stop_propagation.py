"""Propagation of a stop: expected consumers, acknowledgements and readiness.

The tests are pure, over generated consumers.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.operations.switches.consumers import Heard, acknowledged, steps
from governance.operations.switches.readiness import PROVEN_FOR, LastDrill, readiness
from governance.operations.switches.stop_propagation import (
    FORGOTTEN_AFTER,
    Listener,
    expected,
    obedience,
)

NOW = datetime(2026, 11, 25, 9, 42, tzinfo=UTC)
SYSTEMS = [UUID(int=n) for n in (1, 2)]
AGES = st.timedeltas(timedelta(seconds=-5), timedelta(days=3))


@st.composite
def consumer_sets(draw, least=0):
    ages = draw(st.lists(AGES, min_size=least, max_size=12))
    return [
        Listener(
            UUID(int=100 + n),
            f"worker-{n}",
            draw(st.sampled_from(["Frankfurt", "Dublin", ""])),
            draw(st.sampled_from([None, *SYSTEMS])),
            draw(st.integers(0, 9)),
            NOW - age,
        )
        for n, age in enumerate(ages)
    ]


STOPPED_SYSTEMS = st.sampled_from([None, *SYSTEMS])


@settings(deadline=None)  # A busy machine is no failure.
@given(consumer_sets(), STOPPED_SYSTEMS)
def test_a_stop_of_everything_reaches_whoever_any_stop_reaches(crowd, whom):
    assert set(expected(crowd, whom, NOW)) <= set(expected(crowd, None, NOW))


@settings(deadline=None)
@given(consumer_sets(), STOPPED_SYSTEMS)
def test_who_was_not_heard_for_a_day_is_forgotten_and_nobody_else(crowd, whom):
    reached = expected(crowd, whom, NOW)
    assert all(NOW - one.seen_at <= FORGOTTEN_AFTER for one in reached)
    assert all(
        one in reached or not one.is_under(whom) or NOW - one.seen_at > FORGOTTEN_AFTER
        for one in crowd
    )


@settings(deadline=None)
@given(consumer_sets(), st.data())
def test_obeyed_and_missing_are_the_expected(crowd, data):
    """Try any acknowledgements, from any consumer, in any order."""
    of = [one.id for one in crowd if data.draw(st.booleans())]
    acks = {
        one.id: NOW + data.draw(st.timedeltas(timedelta(seconds=-9), timedelta(minutes=9)))
        for one in crowd
        if data.draw(st.booleans())
    }
    found = obedience({one.id: one for one in crowd}, of, acks, NOW)
    assert found.expected == len(of) and found.obeyed + len(found.missing) == found.expected
    assert {one.id for one in found.missing} == set(of) - acks.keys()
    assert found.later == len(acks.keys() - set(of))
    assert sum(map(len, found.regions.values())) == found.expected
    if found.obeyed:
        assert 0 <= min(found.seconds) <= found.median <= found.slowest
        assert found.within(found.slowest) == found.is_whole
    else:
        assert found.slowest is found.median is None and not found.is_whole


@settings(deadline=None)
@given(consumer_sets(least=1), st.data())
def test_one_more_acknowledgement_never_makes_fewer_obey(crowd, data):
    known, of = {one.id: one for one in crowd}, [one.id for one in crowd]
    acks = {i: NOW + timedelta(seconds=1) for i in of if data.draw(st.booleans())}
    more = acks | {data.draw(st.sampled_from(of)): NOW + timedelta(seconds=2)}
    assert obedience(known, of, more, NOW).obeyed >= obedience(known, of, acks, NOW).obeyed


def test_a_clock_that_is_behind_gives_no_negative_time():
    one = Listener(UUID(int=1), "a", "", None, 1, NOW)
    assert (
        obedience({one.id: one}, [one.id], {one.id: NOW - timedelta(seconds=3)}, NOW).slowest == 0
    )


# ---- acknowledgements


def note_answer(version, seconds, name="a"):
    return Heard(UUID(int=9), name, "", None, version, NOW + timedelta(seconds=seconds), NOW)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(-5, 50)), max_size=8),
    st.integers(0, 9),
    st.integers(1, 9),
)
def test_a_stop_is_acknowledged_by_the_first_answer_that_holds_it(told, known, version):
    held = steps([note_answer(v, s) for v, s in told]).get((UUID(int=9), "a"), ())
    at = acknowledged(held, known, version, None)
    holding = [s for v, s in told if v >= version]
    assert at == (NOW + timedelta(seconds=min(holding)) if holding and known < version else None)


def test_what_is_heard_after_the_stop_ended_is_no_acknowledgement():
    """Ignore a consumer that returns after a drill: it skips the drill's version."""
    held = [note_answer(9, 30)]
    assert acknowledged(held, 0, 7, NOW + timedelta(seconds=10)) is None
    assert acknowledged(held, 0, 7, NOW + timedelta(seconds=30)) == held[0].at


# ---- readiness


DRILLS = st.none() | st.builds(
    LastDrill,
    st.booleans(),
    st.builds(lambda age: NOW - age, st.timedeltas(timedelta(), timedelta(days=200))),
)


@settings(deadline=None)
@given(DRILLS, consumer_sets(), STOPPED_SYSTEMS, st.integers(0, 9))
def test_armed_means_proven_lately_and_obeyed_by_everyone(last, crowd, whom, newest):
    found = readiness(last, crowd, system_id=whom, newest=newest, now=NOW)
    heard = expected(crowd, whom, NOW)
    proven = last is not None and last.passed and NOW - last.ended_at <= PROVEN_FOR
    assert (found.state == "armed") == (
        proven and bool(heard) and all(one.version >= newest for one in heard)
    )
    assert found.reasons


@settings(deadline=None)
@given(DRILLS, consumer_sets(), STOPPED_SYSTEMS, st.integers(0, 9))
def test_dead_means_failed_or_silent(last, crowd, whom, newest):
    found = readiness(last, crowd, system_id=whom, newest=newest, now=NOW)
    known, heard = [one for one in crowd if one.is_under(whom)], expected(crowd, whom, NOW)
    failed, silent = last is not None and not last.passed, bool(known) and not heard
    assert (found.state == "dead") == (failed or silent)


@settings(deadline=None)
@given(consumer_sets(), STOPPED_SYSTEMS, st.integers(0, 9))
def test_without_a_drill_nothing_is_armed(crowd, whom, newest):
    assert readiness(None, crowd, system_id=whom, newest=newest, now=NOW).state != "armed"
