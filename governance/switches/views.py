"""Switches: what is stopped, stopping, restarting, drills."""

from governance.kernel.feature import Feature

feature = Feature("switches", __name__)
operator_feature = Feature("operator_switches", __name__, scope="operator")
