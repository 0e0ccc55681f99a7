"""Monthly partitions of the usage events, and their retention.

When events are dropped, the counts of their days and their people remain.
"""

from governance.kernel import clock
from governance.kernel.data.monthly_partitions import MonthlyPartitions, utc_month
from governance.kernel.months import Month

EVENTS = MonthlyPartitions("usage_events", "create_usage_partition", "drop_usage_partition")
# The current month and the 14 before it: events may arrive 400 days late, and the database
# refuses to drop a month that such an event can still fall into.
KEPT_MONTHS = 15


def first_kept_month() -> Month:
    """Return the oldest month in UTC whose events are kept."""
    return utc_month(clock.now()).plus(1 - KEPT_MONTHS)
