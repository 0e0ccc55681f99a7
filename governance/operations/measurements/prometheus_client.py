"""Send requests to a Prometheus server's HTTP API, with short timeouts and bounded answers.

Counters and histograms are read as raw samples, by a range selector at /api/v1/query:
/api/v1/query_range repeats a sample for minutes after scraping stopped and hides a restart between
two of its steps. Queries that state the count of a minute are evaluated by /api/v1/query_range,
once a minute, with samples that are at most a minute old.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from governance.kernel.intervals import MINUTE
from governance.kernel.safety import outbound_http
from governance.operations.measurements.prometheus_response import (
    PrometheusFault,
    SampleSeries,
    parse_series,
)
from governance.operations.measurements.prometheus_schedule import LEAD_IN

MAX_BYTES = 8 * 1024 * 1024  # Maximum answer; a longer one is requested in smaller parts
MAX_SECONDS = 20
WHO = "Prometheus"


class AnswerTooLong(PrometheusFault):
    """The answer has more than MAX_BYTES, so the caller must request fewer minutes."""


@dataclass(frozen=True, slots=True)
class PrometheusAddress:
    """The address and credentials of a source."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def raw_samples(
    address: PrometheusAddress, selector: str, first: datetime, until: datetime
) -> list[SampleSeries]:
    """Return the samples of a selector's series in [first, until], and those shortly before."""
    seconds = round((until - first + LEAD_IN) / timedelta(seconds=1))
    fields = {"query": f"{selector}[{seconds}s]", "time": _instant(until)}
    return parse_series(*_post(address, "/api/v1/query", fields))


def minute_values(
    address: PrometheusAddress, query: str, first: datetime, until: datetime
) -> list[SampleSeries]:
    """Return a query's value at the end of each minute in [first, until)."""
    fields = {
        "query": query,
        "start": _instant(first + MINUTE),
        "end": _instant(until),
        "step": "60",
        "lookback_delta": "59.999",  # A sample from a minute ago belongs to the minute before
    }
    return parse_series(*_post(address, "/api/v1/query_range", fields))


def check(address: PrometheusAddress) -> None:
    """Raise PrometheusFault unless the server answers a query as Prometheus does."""
    answer = parse_series(*_post(address, "/api/v1/query", {"query": "vector(1)"}), shape="vector")
    if [value for series in answer for _, value in series.samples] != ["1"]:
        raise PrometheusFault("The server answers, but not as Prometheus does. Check the address.")


def _instant(at: datetime) -> str:
    return f"{at.timestamp():.3f}"


def _post(address: PrometheusAddress, path: str, fields: Mapping[str, str]) -> tuple[int, bytes]:
    try:
        reply = outbound_http.send(
            "POST",
            address.url.rstrip("/") + path,
            WHO,
            data=dict(fields),
            headers={"Accept": "application/json", **address.headers},
            max_bytes=MAX_BYTES,
            total_seconds=MAX_SECONDS,
        )
    except outbound_http.ResponseTooLong as fault:
        raise AnswerTooLong(f"{fault.message} Select fewer series.", of_query=True) from fault
    except outbound_http.NotCalled as fault:
        raise PrometheusFault(f"Prometheus wasn't contacted: {fault.message}") from fault
    except outbound_http.Unreachable as fault:
        raise PrometheusFault(fault.message) from fault
    return reply.status_code, reply.content
