"""Stored minutes and their rollups, which equal the count whatever the order of arrival."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.intervals import Span, difference, minutes
from governance.operations.measurements import actions, queries
from governance.operations.measurements.models import DAYS, HOURS
from governance.operations.measurements.scoring import (
    Counts,
    IndicatorRule,
    MinuteCount,
)
from tests.hypothesis_profiles import examples
from tests.operations.measurements.measurement_helpers import MINUTE, NOW, define

START = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # The minutes touch three days.
LENGTH = 38 * 60  # Minutes until NOW.

many = settings(
    max_examples=examples(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)


class Undone(Exception):
    """An error that rolls back a transaction."""


counts = st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda n: (n[0], n[0] + n[1]))
batches = st.lists(
    st.dictionaries(st.integers(0, LENGTH - 1), counts, min_size=1, max_size=40),
    min_size=1,
    max_size=4,
)
spans = st.lists(
    st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH))
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: Span(START + min(pair) * MINUTE, START + max(pair) * MINUTE)),
    max_size=3,
)


@many
@given(batches=batches, wanted=spans)
def test_sums_and_rollups_equal_the_count_of_the_minutes(acting, batches, wanted):
    """Send any batches, including corrections, and query any spans, including overlapping ones."""
    with pytest.raises(Undone), clock.frozen(NOW), acting("admin"):
        indicator_id = define("down", "downtime", min_requests=3)
        kept: dict[int, tuple[int, int]] = {}
        for batch in batches:
            rows = [(indicator_id, START + n * MINUTE, *pair) for n, pair in batch.items()]
            result = actions.store(rows)
            assert result.accepted == len(batch.keys() - kept.keys())
            assert result.duplicate == sum(kept.get(n) == pair for n, pair in batch.items())
            assert result.accepted + result.corrected + result.duplicate == len(batch)
            kept |= batch
        rule = IndicatorRule("downtime", 3, Fraction(0))
        inside = [
            n for n in kept if any(span.start <= START + n * MINUTE < span.end for span in wanted)
        ]
        assert queries.counts(indicator_id, wanted) == _count(rule, kept, inside)
        everything = Span(START, NOW)
        _check_rollups(indicator_id, rule, kept)
        known = queries.known_spans(indicator_id, everything)
        assert {START + n * MINUTE for n in kept} == {
            span.start + n * MINUTE for span in known for n in range(span.minutes)
        }
        assert queries.gaps(indicator_id, everything) == difference([everything], known)
        assert minutes(known) == len(kept)
        assert queries.last_minute([indicator_id]) == {indicator_id: START + max(kept) * MINUTE}
        assert [row[1:3] for row in queries.minute_rows(indicator_id, everything)] == [
            kept[n] for n in sorted(kept)
        ]
        assert actions.rebuild(indicator_id, everything) == 0
        _spoil(indicator_id)
        assert actions.rebuild(None, everything) > 0
        _check_rollups(indicator_id, rule, kept)
        raise Undone


def _count(rule: IndicatorRule, kept: Mapping[int, tuple[int, int]], chosen: list[int]) -> Counts:
    """Add up minutes one by one."""
    found = [MinuteCount(*kept[n]) for n in chosen]
    return Counts(
        len(found),
        sum(rule.is_down(each) for each in found),
        sum(each.good for each in found),
        sum(each.total for each in found),
    )


def _check_rollups(
    indicator_id: UUID, rule: IndicatorRule, kept: Mapping[int, tuple[int, int]]
) -> None:
    span = Span(START - timedelta(days=1), NOW)
    for rows, unit in (
        (queries.hourly(indicator_id, span), timedelta(hours=1)),
        (queries.daily(indicator_id, span), timedelta(days=1)),
    ):
        grouped: dict[datetime, list[int]] = {}
        for n in kept:
            at = START + n * MINUTE
            begins = at.replace(minute=0) if unit.days == 0 else at.replace(hour=0, minute=0)
            grouped.setdefault(begins, []).append(n)
        assert rows == [(at, _count(rule, kept, found)) for at, found in sorted(grouped.items())]


def _spoil(indicator_id: UUID) -> None:
    session().execute(HOURS.update().where(HOURS.c.indicator_id == indicator_id).values(good=99))
    session().execute(DAYS.delete().where(DAYS.c.indicator_id == indicator_id))


def test_many_windows_are_counted_in_one_statement(acting):
    with clock.frozen(NOW), acting("admin"):
        one, other = define("one"), define("other")
        actions.store([(one, NOW - n * MINUTE, 9, 10) for n in range(1, 200)])
        actions.store([(other, NOW - n * MINUTE, 1, 1) for n in range(1, 100)])
        windows = [
            (one, [Span(NOW - timedelta(hours=1), NOW)]),
            (other, [Span(NOW - timedelta(days=3), NOW)]),
            (one, []),
            (one, [Span(NOW - 10 * MINUTE, NOW), Span(NOW - 5 * MINUTE, NOW)]),
        ]
        found = queries.counts_of_many(windows)
    assert found == [
        Counts(60, 0, 540, 600),
        Counts(99, 0, 99, 99),
        Counts(),
        Counts(10, 0, 90, 100),
    ]


def test_of_two_rows_of_one_minute_the_later_one_counts(acting):
    with clock.frozen(NOW), acting("admin"):
        indicator_id, at = define(), NOW - MINUTE
        first = actions.store(
            [(indicator_id, at, 1, 2), (indicator_id, at, 1, 2), (indicator_id, at, 2, 2)]
        )
        assert (first.accepted, first.duplicate, first.corrected) == (1, 1, 1)
        assert queries.minute_rows(indicator_id, Span(at, NOW)) == [(at, 2, 2, False)]


@pytest.mark.parametrize(
    ("at", "good", "total"),
    [
        (NOW, 3, 2),
        (NOW, -1, 2),
        (NOW + 3 * MINUTE, 1, 1),
        (NOW - timedelta(hours=49), 1, 1),
        (NOW + timedelta(seconds=1), 1, 1),
        (NOW.replace(tzinfo=None), 1, 1),
        (NOW, 10**12, 10**12 + 1),
    ],
    ids=["good > total", "negative", "future", "late", "seconds", "no zone", "too large"],
)
def test_a_row_that_is_wrong_stores_nothing(acting, at, good, total):
    with clock.frozen(NOW), acting("admin"):
        indicator_id = define()
        with pytest.raises(Invalid):
            actions.store([(indicator_id, NOW - MINUTE, 1, 1), (indicator_id, at, good, total)])
        assert session().execute(select(HOURS)).all() == []


def test_late_minutes_need_a_reason_and_leave_an_entry(acting):
    at = NOW - timedelta(days=390)
    with clock.frozen(NOW), acting("admin"):
        indicator_id = define()
        rows = [(indicator_id, at, 5, 5)]
        with pytest.raises(Invalid):
            actions.store(rows)
        with pytest.raises(Invalid):
            actions.store(rows, backfill_reason=" ")
        with pytest.raises(Invalid):
            actions.store([(indicator_id, NOW - timedelta(days=401), 1, 1)], backfill_reason="why")
        assert actions.store(rows, backfill_reason="The exporter was down").accepted == 1
        assert queries.counts(indicator_id, [Span(at, at + MINUTE)]) == Counts(1, 0, 5, 5)
