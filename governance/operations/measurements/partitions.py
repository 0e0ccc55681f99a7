"""Monthly partitions of the minute counts. Dropped minutes leave their hours and days."""

from governance.kernel.data.monthly_partitions import MonthlyPartitions

MINUTES = MonthlyPartitions("indicator_minutes", "create_minute_partition", "drop_minute_partition")
