"""The nightly job of API keys."""

from governance.foundation.api_keys import batch_actions
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each


def delete_answers() -> None:
    """Delete answers to batches that nobody repeats any more."""
    once_a_day_in_each("delete answers to batches", batch_actions.delete_old)
