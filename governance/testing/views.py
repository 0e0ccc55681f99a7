"""Type II testing: control by month, populations, samples, exceptions."""

from governance.kernel.feature import Feature

feature = Feature("testing", __name__)
