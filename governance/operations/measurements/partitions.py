"""Monthly partitions of the minute counts. Hours and days stay when minutes are dropped."""

from governance.kernel.data.monthly_partitions import MonthlyPartitions

MINUTES = MonthlyPartitions("indicator_minutes", "create_minute_partition", "drop_minute_partition")
