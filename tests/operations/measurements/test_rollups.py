"""Added hours and days, and subtracted minutes, which sum to exactly the span."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.intervals import MINUTE, Span
from governance.operations.measurements.rollups import (
    DAY,
    HOUR,
    SignedPart,
    parts,
    signed_parts,
)

START = datetime(2026, 10, 24, 21, 0, tzinfo=UTC)
UNITS = {"minute": MINUTE, "hour": HOUR, "day": DAY}

moments = st.integers(0, 5 * 1440).map(lambda n: START + n * MINUTE)
spans = (
    st.tuples(moments, moments)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: Span(min(pair), max(pair)))
)
seconds = st.integers(0, 59).map(lambda n: timedelta(seconds=n))


def rows(made: list[SignedPart]) -> Counter[datetime]:
    """Return how often each minute counts when the rows of these parts are summed."""
    counted: Counter[datetime] = Counter()
    for grain, span, sign in made:
        at = span.start
        while at < span.end:
            for n in range(UNITS[grain] // MINUTE):
                counted[at + n * MINUTE] += sign
            at += UNITS[grain]
    return Counter({at: times for at, times in counted.items() if times})


def minutes_of(span: Span) -> Counter[datetime]:
    return Counter(span.start + n * MINUTE for n in range(span.minutes))


@given(span=spans, now=moments, late=seconds)
def test_every_minute_of_the_span_counts_once_and_no_other_one(span, now, late):
    """Try a clock ahead of the data, behind it, and in the middle."""
    assert rows(list(signed_parts(span, now + late))) == minutes_of(span)
    assert rows([SignedPart(*part, 1) for part in parts(span)]) == minutes_of(span)


@given(span=spans, late=seconds)
def test_parts_begin_and_end_where_their_rows_do(span, late):
    for grain, part, _sign in signed_parts(span, span.end + late):
        for edge in part:
            assert (edge - START.replace(hour=0)) % UNITS[grain] == timedelta(0)


@given(span=spans.filter(lambda span: span.minutes > 60), late=seconds)
def test_a_window_that_ends_now_reads_few_rows(span, late):
    """Read at most half an hour of minutes and half a day of hours, at the window's start."""
    read = Counter[str]()
    for grain, part, _sign in signed_parts(span, span.end + late):
        stored = min(part.end, span.end)  # No rows are stored after the end.
        read[grain] += max(stored - part.start, timedelta(0)) // UNITS[grain]
    assert read["minute"] <= 30 and read["hour"] <= 12
