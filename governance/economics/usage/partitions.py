"""Monthly partitions of the usage events, and how long they are kept.

Dropped events leave the counts of their days, and their people.
"""

from governance.kernel import clock
from governance.kernel.data.monthly_partitions import MonthlyPartitions, utc_month
from governance.kernel.months import Month

EVENTS = MonthlyPartitions("usage_events", "create_usage_partition", "drop_usage_partition")
# The month under way and the 14 before it: events may arrive 400 days late, and the database
# refuses to drop a month that one of them can reach.
KEPT_MONTHS = 15


def first_kept_month() -> Month:
    """The oldest month of UTC whose events stay."""
    return utc_month(clock.now()).plus(1 - KEPT_MONTHS)
