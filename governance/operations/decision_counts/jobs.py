"""Fold the decision counts of past days, every night."""

from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.operations.decision_counts import actions


def fold_counts() -> None:
    once_a_day_in_each("fold decision counts", actions.fold)
