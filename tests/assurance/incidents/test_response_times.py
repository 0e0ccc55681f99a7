"""Time to acknowledge, mitigate and resolve: an open incident never improves the medians."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.incidents.response_times import (
    MEASURES,
    IncidentTimes,
    by_month,
    by_severity,
    figures,
)

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def times(
    declared: int, mitigated: int | None, resolved: int | None, *, severity=2, month="2026-11"
):
    return IncidentTimes(
        severity,
        month,
        START,
        START + timedelta(minutes=declared),
        START + timedelta(minutes=mitigated) if mitigated is not None else None,
        START + timedelta(minutes=resolved) if resolved is not None else None,
    )


def test_medians_of_three_incidents():
    found = figures([times(5, 28, 60), times(10, 40, 120), times(60, 90, 600)])
    assert (found.count, found.minutes) == (
        3,
        {"acknowledge": 10.0, "mitigate": 40.0, "resolve": 120.0},
    )


def test_an_incident_without_an_end_is_counted_and_has_no_time():
    found = figures([times(5, None, None)])
    assert (found.count, found.minutes) == (
        1,
        {"acknowledge": 5.0, "mitigate": None, "resolve": None},
    )


def test_months_and_severities_are_apart_and_an_empty_month_has_no_figure():
    every = [times(5, 10, 20), times(1, 2, 4, severity=1), times(7, 8, 9, month="2026-10")]
    assert list(by_severity(every)) == [1, 2]
    months = by_month(every, ["2026-09", "2026-10", "2026-11"])
    assert [each.count for each in months] == [0, 1, 2]
    assert months[0].minutes["resolve"] is None


@given(
    st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=20),
    st.integers(min_value=0, max_value=5),
)
def test_open_incidents_change_no_median(minutes, still_open):
    done = [times(0, n, n) for n in minutes]
    more = done + [times(0, None, None)] * still_open
    for measure in MEASURES[1:]:
        assert figures(done).minutes[measure] == figures(more).minutes[measure]
