"""Monthly partitions of the usage events. Dropped events leave the counts of their days."""

from governance.kernel.monthly_partitions import MonthlyPartitions

EVENTS = MonthlyPartitions("usage_events", "create_usage_partition", "drop_usage_partition")
