"""The nightly job of approvals."""

from governance.foundation.approvals import actions
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each


def expire() -> None:
    """Close requests that nobody decided in time, so that they can be made again. Runs nightly."""
    once_a_day_in_each("expire approvals", actions.expire)
