"""Debian's Prometheus, with an hour of exactly known samples, and with a live target."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest

from governance.kernel import clock
from governance.kernel.intervals import Span, whole_minute
from governance.operations.measurements import prometheus_actions as actions
from governance.operations.measurements import prometheus_client as client
from governance.operations.measurements import prometheus_queries as queries
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.prometheus_increments import counter_minutes
from tests import make
from tests.operations.measurements.measurement_helpers import MINUTE, define
from tests.operations.measurements.prometheus_servers import RealPrometheus, StubServer, pull
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("database")]
LENGTH = 40  # Minutes of samples.
A, B = 'job="triage",instance="a:1"', 'job="triage",instance="b:1"'
RESTARTED, HOLE, FIRST_ERROR = 15, range(20, 23), 10


@cache
def start() -> datetime:
    """Return the first minute of the samples, which must be recent for Prometheus."""
    return whole_minute(clock.machine_now()) - timedelta(minutes=LENGTH + 10)


def scrapes() -> Iterator[tuple[int, int, float]]:
    """Yield (number, minute, seconds since 1970) of scrapes every 15 seconds."""
    for number in range(4 * LENGTH):
        yield number, number // 4, start().timestamp() + 5 + 15 * number


def samples() -> Iterator[str]:
    """Yield samples of two processes.

    Process a has two requests a scrape, and errors from minute 10 on. Process b has three a scrape,
    a restart in minute 15, and no answer in minutes 20 to 22.
    """
    yield "# TYPE requests counter"
    for number, minute, at in scrapes():
        yield f'requests_total{{code="200",{A}}} {1000 + 2 * number} {at}'
        if minute >= FIRST_ERROR:
            yield f'requests_total{{code="500",{A}}} {number - 4 * FIRST_ERROR + 1} {at}'
    for number, minute, at in scrapes():
        since = number - 4 * RESTARTED if minute >= RESTARTED else number + 300
        if minute not in HOLE:
            yield f'requests_total{{code="200",{B}}} {3 * (since + 1)} {at}'
    yield "# TYPE duration_seconds histogram"
    for le, each in (("0.25", 1), ("1.0", 2), ("+Inf", 3)):
        for number, _, at in scrapes():
            yield f'duration_seconds_bucket{{le="{le}",{A}}} {each * number} {at}'
    yield "# TYPE evaluated gauge"
    for value, verdict in ((18, "good"), (20, "all")):
        for minute in range(1, LENGTH - 9):
            yield f'evaluated{{verdict="{verdict}"}} {value} {start().timestamp() + 60 * minute}'


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    real = RealPrometheus(tmp_path_factory.mktemp("prometheus"))
    real.remember(samples())
    with real.serving():
        yield real


def read(url, *, kind="ratio", reads="counter", good="", total, bucket=None, **given):
    """Pull the samples' minutes. Return (minute, good, total), and the query's message."""
    with make.acting("compliance_officer"):
        source = next(iter(queries.sources()), None) or actions.add_source(name="Real", url=url)
        indicator = measurements.indicator(define(kind=kind, source="prometheus", **given))
        query = actions.set_query(
            indicator, source_id=source.id, kind=reads, good=good, total=total, bucket=bucket
        )
        query.pulled_until, indicator_id = start(), indicator.id
    with clock.frozen(start() + timedelta(minutes=LENGTH, seconds=31)):
        assert pull() == 1
    with make.acting("viewer"):
        rows = measurements.minute_rows(
            indicator_id, Span(start(), start() + timedelta(minutes=LENGTH + 5))
        )
        query = queries.query_of(indicator_id)
        found = [(round((at - start()) / MINUTE), good, total) for at, good, total, _ in rows]
        return found, query.finding, dict(query.unknown)


def test_counters_of_two_processes_are_counted_exactly_through_a_restart_and_a_hole(prometheus):
    found, finding, unknown = read(
        prometheus.url, good='requests_total{code="200"}', total="requests_total"
    )
    unknown_minutes = {*HOLE, HOLE.stop}  # The hole, and the minute that ends it.
    assert found == [
        (minute, 20, 20 + (4 if minute >= FIRST_ERROR else 0))
        for minute in range(1, LENGTH)
        if minute not in unknown_minutes
    ]
    assert (finding, unknown) == ("", {"samples were missing": 4})


def test_a_histogram_is_counted_up_to_its_bucket(prometheus):
    given = {"kind": "threshold", "reads": "histogram", "bound": Decimal(1), "bound_unit": "s"}
    total = 'duration_seconds_bucket{job="triage"}'
    found, _, _ = read(prometheus.url, total=total, bucket=Decimal(1), **given)
    assert found == [(minute, 8, 12) for minute in range(1, LENGTH)]


def test_a_bucket_that_isnt_there_is_refused_and_names_the_nearest(prometheus):
    given = {"kind": "threshold", "reads": "histogram", "bound": Decimal("0.5"), "bound_unit": "s"}
    total = "duration_seconds_bucket"
    found, finding, _ = read(prometheus.url, total=total, bucket=Decimal("0.5"), **given)
    assert found == []
    assert finding == "The histogram has no bucket at 0.5. The nearest are 0.25 and 1."


def test_a_count_per_minute_isnt_repeated_after_its_last_sample(prometheus):
    """Count it once: query_range alone would repeat the last value for five minutes."""
    found, _, _ = read(
        prometheus.url,
        kind="downtime",
        reads="count",
        good='sum(evaluated{verdict="good"})',
        total='sum(evaluated{verdict="all"})',
    )
    assert found == [(minute, 18, 20) for minute in range(LENGTH - 10)]


def test_a_query_that_prometheus_rejects_is_shown_with_its_reason(prometheus):
    found, finding, _ = read(prometheus.url, reads="count", good="sum(", total="sum(x)")
    assert found == []
    assert finding.startswith("Prometheus rejected the query: invalid parameter")


def test_a_metric_without_series_leaves_every_minute_unknown(prometheus):
    found, finding, _ = read(prometheus.url, good="no_such_total", total="no_such_total")
    assert (found, finding) == ([], "")


def test_a_live_target_that_restarts_and_is_away_loses_and_invents_no_request(tmp_path):
    """Scrape once a second, at times moved 15 seconds apart, and count by minute."""
    with StubServer.serving() as target, RealPrometheus(tmp_path).serving(target.address) as real:

        def now_at(value):
            text = f"# TYPE requests_total counter\nrequests_total {value}\n"
            target.answer = lambda *_: (200, {"Content-Type": "text/plain"}, text.encode())
            wait_until(
                lambda: [row["value"][1] for row in real.asked("requests_total")] == [f"{value}"]
            )

        first = whole_minute(clock.machine_now())
        now_at(1000)
        wait_until(
            lambda: [
                row for row in real.asked("count_over_time(requests_total[10m])")
                if int(row["value"][1]) > 4
            ]
        )  # fmt: skip
        for value in (1007, 3, 3, 8):  # 7 requests, a restart and 3 more, 5 more.
            now_at(value)
        target.answer = lambda *_: (500, {}, b"")
        wait_until(lambda: real.asked("requests_total") == [])
        now_at(2)  # Restarted while it was away.
        until = whole_minute(clock.machine_now()) + 2 * MINUTE
        address = client.PrometheusAddress(real.url)
        [found] = client.raw_samples(address, 'requests_total{job="triage"}', first, until)
    spaced = [(60_000 + 15_000 * place, value) for place, (_, value) in enumerate(found.samples)]
    series = [replace(found, samples=spaced)]
    reading = counter_minutes(series, series, is_same_metric=True)
    assert reading.unknown == {}
    assert sum(count.total for count in reading.counts.values()) == 7 + 3 + 5 + 2
