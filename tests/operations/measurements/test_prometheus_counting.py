"""Counters as counts of complete minutes: exact, and unknown where the samples don't suffice."""

import json
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.measurements import prometheus_schedule as schedule
from governance.operations.measurements import prometheus_selector as selectors
from governance.operations.measurements.prometheus_increments import (
    HOLE,
    MINUTE,
    NOT_WHOLE,
    TOO_GOOD,
    bounds,
    counter_minutes,
    gauge_minutes,
    histogram_minutes,
)
from governance.operations.measurements.prometheus_response import (
    PrometheusFault,
    SampleSeries,
    parse_series,
    whole,
)
from governance.operations.measurements.scoring import MinuteCount

T = 1_764_158_400_000  # The start of a minute.
POD = {"job": "triage", "instance": "a:1"}


def series(values, *, start=T, step=15, **labels):
    """Return samples every `step` seconds. None is a missed scrape."""
    samples = [
        (start + 1000 * step * place, str(value))
        for place, value in enumerate(values)
        if value is not None
    ]
    return SampleSeries({"__name__": "requests_total", **POD, **labels}, samples)


def minutes(reading):
    return {(at - T) // MINUTE: tuple(count) for at, count in sorted(reading.counts.items())}


def counted(total, good=None):
    return counter_minutes(total if good is None else good, total, is_same_metric=True)


def test_growth_belongs_to_the_minute_of_the_later_sample():
    one = series([100, 101, 103, 106, 110, 115, 121, 128])
    assert minutes(counted([one])) == {1: (22, 22)}


def test_a_minute_without_growth_is_known_and_has_no_events():
    assert minutes(counted([series([7] * 8)])) == {1: (0, 0)}


def test_a_fall_is_a_restart_from_zero():
    one = series([100, 110, 120, 130, 140, 3, 5, 9])
    assert minutes(counted([one])) == {1: (19, 19)}


def test_the_restart_of_one_of_two_processes_doesnt_change_the_others_count():
    steady = series([0, 10, 20, 30, 40, 50, 60, 70])
    restarted = series([500, 510, 520, 530, 540, 1, 2, 3], instance="b:1")
    assert minutes(counted([steady, restarted])) == {1: (40 + 13, 40 + 13)}


def test_a_series_that_its_targets_last_scrape_did_not_have_began_at_zero():
    """Count the first error of a process, which creates its series with value 1."""
    fine = series([10, 20, 30, 40, 50, 60, 70, 80], code="200")
    errors = series([None] * 6 + [1, 3], code="500")
    assert minutes(counter_minutes([fine], [fine, errors], is_same_metric=True)) == {1: (40, 43)}


def test_the_first_sample_of_a_new_target_is_only_a_baseline():
    old = series([10, 20, 30, 40, 50, 60, 70, 80])
    discovered = series([None] * 5 + [9000, 9001, 9003], instance="b:1")
    assert minutes(counted([old, discovered])) == {1: (43, 43)}


def test_targets_that_are_not_told_apart_never_count_their_whole_past():
    """Count two processes without instance labels, which look like one scraped twice as often."""
    labels = {"job": "triage"}
    one = SampleSeries(labels | {"pod": "a"}, series([10, 20, 30, 40, 50, 60, 70, 80]).samples)
    late = series([None] * 4 + [9000, 9010, 9020, 9030], start=T + 7000)
    two = SampleSeries(labels | {"pod": "b"}, late.samples)
    assert minutes(counted([one, two])) == {1: (70, 70)}


def test_a_series_that_ends_leaves_the_minute_to_the_others():
    ends = series([0, 5, 10, 15, 20, 25], instance="b:1")
    stays = series([0, 1, 2, 3, 4, 5, 6, 7])
    assert minutes(counted([stays, ends])) == {1: (14, 14)}


def test_the_minutes_of_a_hole_and_the_one_that_ends_it_are_unknown():
    one = series([0, 1, 2, 3] + [4] * 4 + [None] * 8 + [900, 901, 902, 903] + [904] * 4)
    reading = counted([one])
    assert minutes(reading) == {1: (1, 1), 5: (1, 1)}
    assert reading.unknown == dict.fromkeys((T + 2 * MINUTE, T + 3 * MINUTE, T + 4 * MINUTE), HOLE)


def test_a_hole_of_one_process_makes_the_minute_unknown_though_the_other_answers():
    holed = series([0, 1, 2, 3] + [None] * 8 + [400, 401, 402, 403], instance="b:1")
    steady = series(range(16))
    reading = counted([steady, holed])
    assert minutes(reading) == {}
    assert set(reading.unknown.values()) == {HOLE}


@pytest.mark.parametrize(
    "value", ["NaN", "+Inf", "-Inf", "-1", "12.5", "1e300", "9007199254740992"]
)
def test_a_value_that_is_no_count_makes_its_minute_unknown(value):
    one = series([0, 1, 2, 3, 4, value, 6, 7, 8, 9, 10, 11])
    reading = counted([one])
    assert reading.unknown == {T + MINUTE: NOT_WHOLE}
    assert minutes(reading) == {2: (4, 4)}


def test_more_good_events_than_events_make_the_minute_unknown_and_are_not_cut():
    good, total = series([0, 0, 0, 0, 2, 4, 6, 9]), series([0, 0, 0, 0, 2, 4, 6, 8])
    reading = counter_minutes([good], [total], is_same_metric=True)
    assert (minutes(reading), reading.unknown) == ({}, {T + MINUTE: TOO_GOOD})


def test_no_good_series_is_zero_good_events_only_within_the_same_metric():
    total = [series([0, 1, 2, 3, 4, 5, 6, 7])]
    assert minutes(counter_minutes([], total, is_same_metric=True)) == {1: (0, 4)}
    other = counter_minutes([], total, is_same_metric=False)
    assert (minutes(other), set(other.unknown.values())) == ({}, {HOLE})


def test_no_samples_are_no_minutes():
    assert minutes(counted([])) == {}
    assert minutes(counted([series([5])])) == {}


@given(
    growth=st.lists(st.lists(st.integers(0, 50), min_size=8, max_size=40), min_size=1, max_size=4),
    restarts=st.sets(st.tuples(st.integers(0, 3), st.integers(1, 39))),
)
def test_every_event_after_the_first_minute_is_counted_once_whatever_restarts(growth, restarts):
    shortest = min(map(len, growth)) // 4 * 4
    every, expected = [], [0] * (shortest // 4)
    for process, steps in enumerate(growth):
        values, value = [1000], 1000
        for place, step in enumerate(steps[1:shortest], start=1):
            # A restart that isn't visible as a fall can't be distinguished from growth.
            value = step if (process, place) in restarts and step < value else value + step
            values.append(value)
            expected[place // 4] += step
        every.append(series(values, instance=f"{process}:1"))
    found = minutes(counted(every))
    assert found == {at: (count, count) for at, count in enumerate(expected) if at > 0}


@given(st.lists(st.integers(0, 9), min_size=8, max_size=60), st.data())
def test_reading_in_parts_gives_the_same_minutes(growth, data):
    values = list(accumulate(growth))
    cut = data.draw(st.integers(1, max(1, len(values) // 4 - 1)))
    whole_one = minutes(counted([series(values)]))
    # A part starts with samples of the minutes before it.
    later = series([None] * (4 * (cut - 1)) + values[4 * (cut - 1) :])
    parts = {at: count for at, count in whole_one.items() if at < cut}
    parts |= {at: count for at, count in minutes(counted([later])).items() if at >= cut}
    assert parts == whole_one


# ---- histograms


def bucket(values, le, **labels):
    return series(values, le=le, **labels)


def test_good_events_are_those_up_to_the_bucket():
    found = [bucket([0, 1, 2, 3, 4, 6, 8, 9], "0.5"), bucket([0, 2, 3, 4, 6, 9, 12, 15], "+Inf")]
    assert minutes(histogram_minutes(found, Decimal("0.5"))) == {1: (6, 11)}
    above = histogram_minutes(found, Decimal("0.50"), good_is_above=True)
    assert minutes(above) == {1: (5, 11)}


def test_a_missing_bucket_is_refused_and_names_the_nearest_ones():
    found = [bucket([0] * 8, le) for le in ("0.1", "0.5", "2.0", "+Inf")]
    with pytest.raises(
        PrometheusFault, match=r"no bucket at 1\. The nearest are 0\.5 and 2\."
    ) as no:
        histogram_minutes(found, Decimal(1))
    assert no.value.of_query
    assert bounds(found) == {Decimal("0.1"), Decimal("0.5"), Decimal(2)}


@pytest.mark.parametrize("bound", ["1", "0.5", "2.50", "1000", "0.000001", "1000000"])
def test_a_bucket_is_found_however_its_bound_is_spelled(bound):
    number = Decimal(bound)
    made = selectors.with_bounds(selectors.parse('x_bucket{job="a"}'), number)
    pattern = re.search(r'le=~"(.*)"', str(made))[1].replace("\\\\", "\\")
    for spelled in (f"{number.normalize():f}", repr(float(number)), "+Inf"):
        assert re.fullmatch(pattern, spelled), (pattern, spelled)


# ---- counts


def test_a_query_of_counts_states_the_minute_before_its_instant():
    good = series([None, 3, 4, "2.5", None], step=60)
    total = series([None, 5, 4, 6, 7], step=60)
    reading = gauge_minutes([good], [total])
    assert minutes(reading) == {0: (3, 5), 1: (4, 4)}
    assert reading.unknown == {T + 2 * MINUTE: NOT_WHOLE, T + 3 * MINUTE: HOLE}
    assert gauge_minutes([], [total]).counts == {}


# ---- selectors


@pytest.mark.parametrize(
    "text",
    [
        "up",
        'http_requests_total{job="a",code!~"5.."}',
        ' x:y { a = \'b\' , c =~ "d}\\"e" , } ',
        "x{}",
    ],
)
def test_a_selector_is_accepted(text):
    selector = selectors.parse(text)
    assert selectors.parse(str(selector)) == selector


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sum(x)",
        "rate(x[5m])",
        "x[5m]",
        "x offset 5m",
        "x + y",
        'x{a="b"} or y',
        "{a='b'}",
        "x{a}",
        "x{a='b' c='d'}",
        "x{a='b'}}",
        "x" * 3000,
        'x{a="' + "\\" * 1999,
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(selectors.NotASelector, match="without sum"):
        selectors.parse(text)


def test_buckets_are_selected_without_le():
    assert selectors.parse_buckets("a_bucket{job='x'}").metric == "a_bucket"
    for text, says in (("a_total", "_bucket"), ("a_bucket{le='1'}", "Leave out the label le")):
        with pytest.raises(selectors.NotASelector, match=says):
            selectors.parse_buckets(text)


def test_a_sum_of_a_selector_is_that_selector():
    assert selectors.inside_sum('sum(x{a="b"})') == 'x{a="b"}'
    assert selectors.inside_sum("sum(rate(x[5m]))") == "sum(rate(x[5m]))"
    assert selectors.inside_sum("sum(x) / sum(y)") == "sum(x) / sum(y)"


# ---- answers


def answer(**changes):
    result = [{"metric": {"__name__": "x"}, "values": [[1.5, "1"], [2.5, "2"]]}]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    return json.dumps(body | changes).encode()


def test_an_answer_is_read_to_the_millisecond():
    [found] = parse_series(200, answer())
    assert list(found.samples) == [(1500, "1"), (2500, "2")]


SAME = {"metric": {"a": "b"}, "values": [[1, "1"]]}


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, answer(warnings=["store gateway timed out"]), "part of the data: store gateway"),
        (200, answer(data={"resultType": "vector", "result": []}), "a vector, not a matrix"),
        (200, answer(data={"resultType": "matrix", "result": None}), "without a list"),
        (200, answer(data=[]), "without data"),
        (200, answer()[:-20], "isn't complete JSON"),
        (200, b"[]", "isn't complete JSON"),
        (200, b"[" * 100_000, "isn't complete JSON"),
        (200, b"<!doctype html><title>Sign in</title>", "a web page"),
        (302, b"", "redirects elsewhere"),
        (401, b"Unauthorized", "Check the token"),
        (403, b"{}", "Check the token"),
        (404, b"nginx", "no Prometheus API"),
        (502, b"bad gateway", "status 502"),
        (503, answer(status="error", error="too busy"), "status 503: too busy"),
        (400, answer(status="error", error="parse error"), "rejected the query: parse error"),
        (422, answer(status="error", error="too many samples"), "rejected the query: too many"),
        (
            200,
            answer(data={"resultType": "matrix", "result": [SAME, SAME]}),
            "the same series twice",
        ),
        (
            200,
            answer(
                data={
                    "resultType": "matrix",
                    "result": [{"metric": {}, "values": [[2, "1"], [2, "2"]]}],
                }
            ),
            "order of time",
        ),
        (
            200,
            answer(data={"resultType": "matrix", "result": [{"metric": {}, "histograms": []}]}),
            "Native histograms",
        ),
        (
            200,
            answer(data={"resultType": "matrix", "result": [{"metric": {}, "values": [[1, 2]]}]}),
            "no plain samples",
        ),
    ],
)
def test_any_other_answer_is_a_fault_that_says_what_is_wrong(status, body, says):
    with pytest.raises(PrometheusFault, match=says):
        parse_series(status, body)


def test_an_error_text_is_shown_short_and_without_control_characters():
    body = answer(status="error", error="a\x1b[31m\u202e" + "b" * 500)
    with pytest.raises(PrometheusFault) as fault:
        parse_series(500, body)
    assert fault.value.message.isprintable()
    assert len(fault.value.message) < 300


@given(st.integers(0, 2**53 - 1))
def test_a_whole_number_is_read_as_it_is(number):
    assert whole(str(number)) == whole(f"{number}.0") == number


# ---- the schedule of pulls


def test_failures_double_the_wait_up_to_an_hour_less_up_to_half():
    waits = [schedule.wait(failures, 0) for failures in (1, 2, 3, 6, 7, 500)]
    assert [wait / timedelta(minutes=1) for wait in waits] == [1, 2, 4, 32, 60, 60]
    assert schedule.wait(3, 1) == timedelta(minutes=2)


def test_a_pull_asks_for_whole_minutes_that_have_settled_and_fills_gaps_of_48_hours():
    now = datetime(2026, 11, 26, 12, 0, 20, tzinfo=UTC)
    last = now.replace(hour=11, minute=57, second=0)
    assert schedule.due(last, now) == (last, now.replace(hour=11, minute=59, second=0))
    first, _ = schedule.due(None, now)
    assert now - first < schedule.MAX_GAP_AGE
    assert schedule.due(now.replace(hour=11, minute=59, second=0), now) is None


@given(st.integers(0, 5000), st.integers(15, 500))
def test_requests_cover_every_minute_once(length, longest):
    first = datetime(2026, 11, 26, tzinfo=UTC)
    until = first + timedelta(minutes=length)
    parts = list(schedule.chunks(first, until, timedelta(minutes=longest)))
    assert [a for a, _ in parts[1:]] == [b for _, b in parts[:-1]]
    assert sum((b - a for a, b in parts), timedelta()) == timedelta(minutes=length)
    assert all(b - a <= timedelta(minutes=longest) for a, b in parts)
    assert not parts or (parts[0][0], parts[-1][1]) == (first, until)


def test_counts_are_whole_numbers():
    [count] = counted([series(range(8))]).counts.values()
    assert isinstance(count, MinuteCount)


@pytest.mark.parametrize("at", ["9" * 200_000, [1] * 200_000], ids=["text", "list"])
def test_a_time_that_is_no_number_takes_no_memory(at):
    rows = [{"metric": {}, "values": [[at, "1"]]}]
    body = answer(data={"resultType": "matrix", "result": rows})
    tracemalloc.start()
    try:
        with pytest.raises(PrometheusFault, match="no plain samples"):
            parse_series(200, body)
        assert tracemalloc.get_traced_memory()[1] < 50 * len(body)
    finally:
        tracemalloc.stop()
