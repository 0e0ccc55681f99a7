"""Read the minutes of one indicator from its source, in requests of a suitable size."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from governance.operations.measurements import prometheus_client as client
from governance.operations.measurements import prometheus_selector as selectors
from governance.operations.measurements.prometheus_client import PrometheusAddress
from governance.operations.measurements.prometheus_increments import (
    MinuteReading,
    bounds,
    counter_minutes,
    gauge_minutes,
    histogram_minutes,
    no_bucket,
)
from governance.operations.measurements.prometheus_response import PrometheusFault
from governance.operations.measurements.prometheus_schedule import (
    MAX_REQUEST_SPAN,
    MIN_REQUEST_SPAN,
    chunks,
)


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """A query and its source, read in a transaction and used outside of it."""

    query_id: UUID
    source_id: UUID
    indicator_id: UUID
    revision: int
    address: PrometheusAddress
    kind: str
    good: str
    total: str
    bucket: Decimal | None = None
    good_is_above: bool = False


type Part = tuple[datetime, datetime, MinuteReading]


def read(plan: ReadingPlan, first: datetime, until: datetime) -> Iterator[Part]:
    """Read [first, until) in parts, oldest first, as (first, until, reading).

    An answer that is too long is requested again in halves. Raises PrometheusFault if the source or
    the query fails; earlier parts are valid.
    """
    longest, start = MAX_REQUEST_SPAN, first
    while start < until:
        _, end = next(chunks(start, until, longest))
        try:
            reading = _read_part(plan, start, end)
        except client.AnswerTooLong:
            longest /= 2
            if longest < MIN_REQUEST_SPAN:
                raise
            continue
        yield start, end, reading
        start = end


def _read_part(plan: ReadingPlan, first: datetime, until: datetime) -> MinuteReading:
    if plan.kind == "histogram":
        return _read_histogram(plan, first, until)
    if plan.kind == "count":
        good = client.minute_values(plan.address, plan.good, first, until)
        return gauge_minutes(good, client.minute_values(plan.address, plan.total, first, until))
    good = client.raw_samples(plan.address, plan.good, first, until)
    total = client.raw_samples(plan.address, plan.total, first, until)
    one, other = selectors.parse(plan.good), selectors.parse(plan.total)
    return counter_minutes(good, total, is_same_metric=one.metric == other.metric)


def _read_histogram(plan: ReadingPlan, first: datetime, until: datetime) -> MinuteReading:
    every = selectors.parse_buckets(plan.total)
    bound = plan.bucket or Decimal(0)
    found = client.raw_samples(plan.address, str(selectors.with_bounds(every, bound)), first, until)
    if found and bound not in bounds(found):
        # One more small request gets the existing bounds for the error message.
        buckets = client.raw_samples(plan.address, str(every), until, until)
        raise PrometheusFault(no_bucket(bound, bounds(buckets)), of_query=True)
    return histogram_minutes(found, bound, good_is_above=plan.good_is_above)
