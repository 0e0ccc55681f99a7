"""The operator's reporting currency, and monthly exchange rates of other currencies."""
