"""Collectors: what the console collects about itself, and how the last time went."""

from governance.kernel.feature import Feature

feature = Feature("collectors", __name__)
