"""The operator's reporting currency, and what other currencies were worth in it, month by month."""
