"""Slow, partial, absent or changed sources, which cause gaps but never wrong numbers."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import inspect

from governance.kernel import clock
from governance.kernel.data.db import find
from governance.kernel.errors import Invalid
from governance.kernel.intervals import Span
from governance.kernel.safety import outbound_http
from governance.kernel.work.jobs import WorkItem
from governance.operations.measurements import prometheus_actions as actions
from governance.operations.measurements import prometheus_client as client
from governance.operations.measurements import prometheus_queries as queries
from governance.operations.measurements import queries as measurements
from tests import make
from tests.free_ports import free_port
from tests.operations.measurements.measurement_helpers import MINUTE, NOW, define
from tests.operations.measurements.prometheus_servers import (
    StubServer,
    answer,
    matrix,
    pull,
    run_requested_work,
)

pytestmark = pytest.mark.usefixtures("database")
SELECTOR = 'requests_total{job="triage"}'
LABELS = {"__name__": "requests_total", "job": "triage", "instance": "a:1"}


@pytest.fixture
def stub():
    with StubServer.serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


def growing(path, fields):
    """Answer two requests every 30 seconds, all good, up to the requested time."""
    until = float(fields["time"])
    seconds = int(fields["query"].rpartition("[")[2].rstrip("s]"))
    first = int(until) - seconds
    samples = [(at, str(at // 15)) for at in range(first - first % 30 + 15, int(until), 30)]
    return matrix((LABELS, samples))


def indicator_at(url, *, kind="ratio", reads="counter", last=10, **query):
    """Create an indicator read from that source, with data until `last` minutes ago."""
    with make.acting("compliance_officer"):
        source = next((each for each in queries.sources() if each.url == url), None)
        source = source or actions.add_source(
            name=f"Prometheus {len(queries.sources())}",
            url=url,
            header="Authorization",
            secret="Bearer s3cret",
        )
        key = f"availability-{len(measurements.live_indicators())}"
        indicator = measurements.indicator(define(key, kind, source="prometheus"))
        values = {"kind": reads, "good": SELECTOR, "total": SELECTOR} | query
        found = actions.set_query(indicator, source_id=source.id, **values)
        found.pulled_until = NOW - last * MINUTE if last is not None else None
        return indicator.id


def stored(indicator_id, slug="acme"):
    with make.acting("viewer", slug):
        span = Span(NOW - timedelta(days=3), NOW + MINUTE)
        return [
            (round((at - NOW) / MINUTE), good, total)
            for at, good, total, _ in measurements.minute_rows(indicator_id, span)
        ]


def state_of(indicator_id):
    with make.acting("viewer"):
        query = queries.query_of(indicator_id)
        return copied(queries.source(query.source_id)), copied(query)


def copied(row):
    """Return the row's values, which outlive the transaction."""
    return SimpleNamespace(
        **{column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
    )


def test_each_minute_that_is_due_is_read_once_and_with_the_token(stub):
    stub.answer = growing
    indicator_id = indicator_at(stub.url)
    assert pull() == 1
    assert stored(indicator_id) == [(at, 4, 4) for at in range(-10, -1)]
    assert {headers["Authorization"] for headers in stub.headers} == {"Bearer s3cret"}
    source, query = state_of(indicator_id)
    assert (source.state, query.state) == ("working", "working")
    assert query.pulled_until == NOW - MINUTE
    assert pull() == 0
    with clock.frozen(NOW + 2 * MINUTE):
        assert pull() == 1
    assert stored(indicator_id)[-1] == (0, 4, 4)


def test_a_new_query_reads_the_last_48_hours_in_requests_of_six(stub):
    stub.answer = growing
    indicator_id = indicator_at(stub.url, last=None)
    assert pull() == 1
    assert len(stored(indicator_id)) >= 48 * 60 - 2
    assert len(stub.asked) == 2 * 8


def test_a_gap_of_the_last_48_hours_is_filled_when_the_source_is_back(stub):
    indicator_id = indicator_at(stub.url)
    stub.answer = lambda _path, _fields: (503, {}, b"")
    assert pull() == 1
    stub.answer = growing
    with clock.frozen(NOW + timedelta(hours=5)):
        pull()
        source, _ = state_of(indicator_id)
    assert (source.state, source.failures, source.next_try_at) == ("working", 0, None)
    assert len(stored(indicator_id)) == 10 + 1
    with make.acting("viewer"):
        found = measurements.minute_rows(
            indicator_id, Span(NOW - 10 * MINUTE, NOW + timedelta(hours=5))
        )
    assert len(found) == 5 * 60 + 10 - 1


FAULTS = {
    "answers 500": (lambda *_: (500, {}, b"oops"), "status 500"),
    "denies access": (lambda *_: (401, {}, b""), "Check the token"),
    "redirects": (lambda *_: (302, {"Location": "http://127.0.0.1:1/"}, b""), "redirects"),
    "answers a web page": (lambda *_: (200, {}, b"<html>Sign in</html>"), "a web page"),
    "answers cut JSON": (lambda *_: (200, {}, b'{"status": "succ'), "isn't complete JSON"),
    "answers less than announced": (
        lambda *_: (200, {"Content-Length": "1000", "Connection": "close"}, b'{"status":'),
        "broke off",
    ),
    "answers a part": (
        lambda *_: answer({"resultType": "matrix", "result": []}, warnings=["a store is away"]),
        "a store is away",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_source_stores_nothing_and_backs_off(stub, fault):
    stub.answer, says = FAULTS[fault]
    first, second = indicator_at(stub.url), indicator_at(stub.url)
    assert pull() == 1
    source, query = state_of(first)
    assert (source.state, source.failures) == ("failing", 1)
    assert says in source.finding
    assert timedelta(seconds=30) <= source.next_try_at - NOW <= MINUTE
    assert query.pulled_until == NOW - 10 * MINUTE
    assert stored(first) == stored(second) == []
    assert pull() == 0
    with clock.frozen(NOW + MINUTE):
        assert pull() == 1
        source, _ = state_of(first)
    assert source.failures == 2
    assert MINUTE <= source.next_try_at - (NOW + MINUTE) <= 2 * MINUTE


def test_a_source_that_is_away_leaves_a_gap_and_the_other_source_is_read(stub):
    stub.answer = growing
    away = indicator_at(f"http://127.0.0.1:{free_port()}")
    there = indicator_at(stub.url)
    assert pull() == 2
    assert (stored(away), len(stored(there))) == ([], 9)
    source, _ = state_of(away)
    assert source.finding == "Prometheus can't be reached."


def test_a_source_that_is_slow_is_left_alone_for_a_while(stub, monkeypatch):
    monkeypatch.setattr(client, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(outbound_http, "TIMEOUT_SECONDS", (0.1, 0.1))

    def slowly(path, fields):
        stub.stopping.wait(5)
        return growing(path, fields)

    stub.answer = slowly
    indicator_id = indicator_at(stub.url)
    assert pull() == 1
    source, _ = state_of(indicator_id)
    assert source.finding == "Prometheus didn't respond in time."
    assert stored(indicator_id) == []


def test_a_fault_of_one_query_doesnt_touch_the_other_queries_of_the_source(stub):
    def of_one(path, fields):
        if "bad" in fields["query"]:
            return 400, {}, b'{"status": "error", "errorType": "bad_data", "error": "parse error"}'
        return growing(path, fields)

    stub.answer = of_one
    bad, fine = indicator_at(stub.url, good="bad", total="bad"), indicator_at(stub.url)
    assert pull() == 2
    source, query = state_of(bad)
    assert (source.state, query.state, query.failures) == ("working", "failing", 1)
    assert query.finding == "Prometheus rejected the query: parse error"
    assert query.next_try_at > NOW
    assert len(stored(fine)) == 9


def test_another_shape_is_a_fault_of_the_query(stub):
    stub.answer = lambda *_: answer({"resultType": "vector", "result": []})
    indicator_id = indicator_at(stub.url)
    pull()
    assert "a vector, not a matrix" in state_of(indicator_id)[1].finding


def test_a_long_answer_is_asked_for_in_smaller_parts(stub, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 8_000)
    stub.answer = growing
    indicator_id = indicator_at(stub.url, last=360)
    assert pull() == 1
    assert len(stored(indicator_id)) == 360 - 1
    monkeypatch.setattr(client, "MAX_BYTES", 100)
    other = indicator_at(stub.url, last=360)
    assert pull() == 1
    assert "too large. Select fewer series." in state_of(other)[1].finding


def test_parts_before_a_fault_are_kept_and_the_rest_is_asked_again(stub):
    def until_noon_yesterday(path, fields):
        if float(fields["time"]) > (NOW - timedelta(hours=24)).timestamp():
            return 503, {}, b""
        return growing(path, fields)

    stub.answer = until_noon_yesterday
    indicator_id = indicator_at(stub.url, last=None)
    pull()
    kept = len(stored(indicator_id))
    assert 0 < kept <= 24 * 60
    stub.answer = growing
    with clock.frozen(NOW + MINUTE):
        pull()
    assert len(stored(indicator_id)) >= 48 * 60 - 2


def test_counts_per_minute_are_asked_by_query_range_each_minute(stub):
    def ranged(path, fields):
        assert path == "/api/v1/query_range"
        assert (fields["step"], fields["lookback_delta"]) == ("60", "59.999")
        start, end = float(fields["start"]), float(fields["end"])
        value = "3" if "good" in fields["query"] else "4"
        return matrix(({}, [(at, value) for at in range(int(start), int(end) + 1, 60)]))

    stub.answer = ranged
    indicator_id = indicator_at(stub.url, kind="downtime", reads="count", **COUNTS)
    pull()
    assert stored(indicator_id) == [(at, 3, 4) for at in range(-10, -1)]


COUNTS = {"good": "sum(good:count1m)", "total": "sum(all:count1m)"}


def test_a_changed_query_needs_a_reason_and_an_answer_to_the_old_one_is_dropped(stub):
    indicator_id = indicator_at(stub.url)

    def change(**values):
        with make.acting("compliance_officer"):
            indicator = measurements.indicator(indicator_id)
            query = queries.query_of(indicator_id)
            given = {"kind": "counter", "good": SELECTOR, "total": "other_total"} | values
            actions.set_query(indicator, source_id=query.source_id, **given)

    with pytest.raises(Invalid, match="Enter a reason"):
        change()

    def meanwhile(path, fields):
        stub.answer = growing
        change(reason="The metric was renamed.")
        return growing(path, fields)

    stub.answer = meanwhile
    pull()
    assert stored(indicator_id) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "counter", "good": "sum(x)", "total": "x"}, "good"),
        ({"kind": "counter", "good": "x", "total": ""}, "total"),
        ({"kind": "count", "good": "", "total": "x"}, "good"),
        ({"kind": "histogram", "total": "x_bucket"}, "kind"),
        ({"kind": "guess", "total": "x"}, "kind"),
    ],
)
def test_a_query_that_cant_be_counted_is_refused(stub, values, field):
    indicator_id = indicator_at(stub.url)
    with make.acting("compliance_officer"), pytest.raises(Invalid) as refused:
        source_id = queries.query_of(indicator_id).source_id
        actions.set_query(measurements.indicator(indicator_id), source_id=source_id, **values)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("bucket", "is_fine"), [("0.5", True), ("500", True), ("0.25", False), (None, False)]
)
def test_a_bucket_has_the_bound_of_its_indicator(stub, bucket, is_fine):
    values = {"total": "d_bucket", "bucket": bucket and Decimal(bucket)}
    if is_fine:
        assert indicator_at(stub.url, kind="threshold", reads="histogram", **values)
    else:
        with pytest.raises(Invalid) as refused:
            indicator_at(stub.url, kind="threshold", reads="histogram", **values)
        assert refused.value.field == "bucket"


def test_the_other_tenants_source_is_never_asked(stub):
    stub.answer = growing
    indicator_at(stub.url)
    assert pull("globex") == 0
    assert stub.asked == []


def test_a_removed_source_and_a_retired_indicator_are_not_asked(stub):
    stub.answer = growing
    indicator_id = indicator_at(stub.url)
    with make.acting("compliance_officer"):
        source = queries.source(queries.query_of(indicator_id).source_id, lock=True)
        actions.remove_source(source)
        assert source.secret is None
    assert pull() == 0


def test_a_private_address_is_refused_before_and_after_it_was_saved(stub, monkeypatch):
    for url in ("http://prometheus.example", "https://10.0.0.1", "https://127.0.0.1:9090"):
        with make.acting("admin"), pytest.raises(Invalid) as refused:
            actions.add_source(name="Ours", url=url)
        assert refused.value.field == "url"
    stub.answer = growing
    indicator_id = indicator_at(stub.url)
    monkeypatch.delenv("GOVERNANCE_DEMO")
    pull()
    assert "wasn't contacted" in state_of(indicator_id)[0].finding


def test_a_token_doesnt_follow_to_another_server(stub):
    indicator_id = indicator_at(stub.url)
    with make.acting("admin"):
        source = queries.source(queries.query_of(indicator_id).source_id, lock=True)
        with pytest.raises(Invalid, match="Enter the token again"):
            actions.edit_source(
                source, name="Ours", url="http://localhost:1", header="Authorization"
            )
        actions.edit_source(source, name="Ours", url=f"{stub.url}/prom", header="Authorization")
        assert actions.secret_of(source) == "Bearer s3cret"
        assert b"s3cret" not in source.secret


@pytest.mark.parametrize("header", ["Host", "content-length", "X Y", "X:Y", "A\r\nB", ""])
def test_a_header_that_would_change_the_request_is_refused(stub, header):
    with make.acting("admin"), pytest.raises(Invalid) as refused:
        actions.add_source(name="Ours", url=stub.url, header=header, secret="x")
    assert refused.value.field == "header"


def test_a_value_with_a_line_break_is_refused(stub):
    with make.acting("admin"), pytest.raises(Invalid) as refused:
        actions.add_source(name="Ours", url=stub.url, header="X-Key", secret="a\r\nHost: b")
    assert refused.value.field == "secret"


def test_a_backfill_reads_old_minutes_with_its_reason_in_the_log(stub):
    stub.answer = growing
    indicator_id = indicator_at(stub.url)
    with make.acting("compliance_officer"):
        indicator = measurements.indicator(indicator_id)
        since = NOW - timedelta(days=10)
        for wrong in (NOW, NOW - timedelta(days=500)):
            with pytest.raises(Invalid, match="of the last 400 days"):
                actions.request_backfill(indicator, since=wrong, reason="x")
        with pytest.raises(Invalid, match="Enter a reason"):
            actions.request_backfill(indicator, since=since, reason=" ")
        item_id = actions.request_backfill(indicator, since=since, reason="Outage of ours").id
    run_requested_work()
    with make.acting("viewer"):
        span = Span(since, NOW)
        assert len(measurements.minute_rows(indicator_id, span)) == 10 * 1440 - 1
        assert find(WorkItem, item_id).state == "done"
