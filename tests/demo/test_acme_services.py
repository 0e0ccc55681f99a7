"""Acme's own services in the demo: a Prometheus and two webhook receivers."""

import json
from datetime import UTC, datetime, timedelta

from governance.demo import acme_services
from governance.operations.measurements.prometheus_increments import counter_minutes
from governance.operations.measurements.prometheus_response import SampleSeries, parse_series

NOW = datetime(2026, 11, 26, 12, 0, 7, tzinfo=UTC)


def asked(metric: str) -> list[SampleSeries]:
    """Return the samples of an hour, and of the six minutes before it."""
    answer = acme_services.answer_query(f"{metric}[3960s]", NOW.timestamp())
    return parse_series(200, json.dumps(answer).encode())


def test_every_minute_of_its_counters_is_known():
    reading = counter_minutes(
        asked(acme_services.IN_TIME), asked(acme_services.HANDOVERS), is_same_metric=False
    )
    until = NOW.replace(second=0)
    rows = reading.rows(until - timedelta(hours=1), until)
    assert len(rows) == 60
    assert all(count.good <= count.total and count.total for _, count in rows)
    assert sum(count.total - count.good for _, count in rows) in {0, 1}


def test_a_metric_that_it_does_not_have_has_no_series():
    assert asked("requests_total") == []


def test_the_ticket_system_rejects_only_what_was_sent_before_its_repair():
    def status(path: str, sent_at: datetime) -> int:
        headers = {"webhook-timestamp": str(int(sent_at.timestamp())), "webhook-id": "msg_1"}
        return acme_services.answer_hook(path, headers, NOW.timestamp())[0]

    before = NOW - acme_services.TICKETS_REPAIRED - timedelta(minutes=1)
    assert status(acme_services.TICKETS, before) == 503
    assert status(acme_services.TICKETS, NOW) == 200
    assert status(acme_services.ON_CALL, before) == 200
