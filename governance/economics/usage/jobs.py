"""The nightly jobs of usage: months ahead, and the ids of old events."""

from governance.economics.usage import partitions, storing
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel.db import transaction


def create_partitions() -> None:
    """Create the months ahead, so that no batch has to."""
    with transaction():
        partitions.EVENTS.create_ahead()


def forget_event_keys() -> None:
    """Forget the ids of events that nobody sends again any more."""
    once_a_day_in_each("forget usage event ids", storing.forget_keys)
