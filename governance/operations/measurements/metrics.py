"""Prometheus metrics about stored minutes."""

import prometheus_client

from governance.operations.measurements.events import MinutesStored

batches = prometheus_client.Counter(
    "governance_indicator_batches_total",
    "Batches of indicator minutes that changed something",
    ["kind"],
)


def note(event: MinutesStored) -> None:
    """Count a batch."""
    batches.labels("backfill" if event.is_backfill else "ordinary").inc()
